import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Regions of interest")
struct RegionTests {
    static let rois: [Float] = [
        0, 1, 2, 9, 11, 1, -3, -4, 30, 5, 0, 6, 6, 2, 3, 1, 5, 5, 5, 5, 7, 0, 0, 4, 4, 0, -90, -90, -80, -80,
    ]

    @Test("both layouts agree with double precision", arguments: [0, 2], [Float(0), 0.5])
    func layouts(ratio: Int, offset: Float) throws {
        let x = shuffled([2, 18, 9, 11])
        let rois = try #require(Tensor(extents: [6, 5], Self.rois))
        var bins = RegionBins(height: 3, width: 2, scale: 0.5, samplingRatio: ratio, offset: offset)
        if offset == 0 { bins.minimum = 1 }
        for mode in [RoiAlign.Mode.average, .maximumCorner, .maximum(initial: -10_000)] {
            let op = RoiAlign(bins, mode: mode)
            let expected = try run(op, [doubled(x), doubled(rois)])[0].elements(as: Double.self)
            for set in InstructionSet.available {
                for map in [x, channelsLast(x)] {
                    let got = try run(op, [map, rois], on: set)[0].elements(as: Float.self)
                    #expect(distance(got, expected) < 1e-4, "\(mode) \(set)")
                }
            }
        }
    }

    @Test("regions that are not finite or absurdly large end in an answer")
    func hostile() throws {
        let x = shuffled([1, 2, 4, 4])
        let values: [Float] = [
            0, .nan, 0, 3, 3, 0, 0, 0, .infinity, 3, .infinity, 0, 0, 3, 3, 0, -1e30, -1e30, 1e30, 1e30,
        ]
        let rois = try #require(Tensor(extents: [4, 5], values))
        let bins = RegionBins(height: 2, width: 2, offset: 0.5)
        for op in [
            RoiAlign(bins), MaxRoiPool(bins), PrRoiPool(bins), DeformRoiPool(bins, displacementScale: 0.1),
        ]
            as [any Operator]
        {
            #expect(try run(op, [x, rois])[0].extents == [4, 2, 2, 2])
        }
        let wide = shuffled([1, 8, 4, 4])
        let sensitive: [any Operator] = [
            PSRoiPool(bins, outputChannels: 2, group: 2),
            DeformPSRoiPool(
                bins, outputChannels: 2, group: 2, part: 2, samples: [2, 2], displacementScale: 0.1),
        ]
        for op in sensitive { #expect(try run(op, [wide, rois])[0].extents == [4, 2, 2, 2]) }
    }

    @Test("a maximum over regions that are not finite once they are scaled, in double precision")
    func scaledBeyondNumbers() throws {
        let values: [Double] = [0, 1e300, 1e300, 1e300, 1e300, 0, -1e300, 0, 1e300, 3]
        let rois = try #require(Tensor(extents: [2, 5], values))
        let op = MaxRoiPool(RegionBins(height: 2, width: 2, scale: 1e30))
        #expect(try run(op, [doubled(shuffled([1, 2, 4, 4])), rois])[0].extents == [2, 2, 2, 2])
    }

    @Test("more than 256 samples along an axis of a bin are refused")
    func manySamples() throws {
        let x = shuffled([2, 3, 9, 11])
        let rois = try #require(Tensor(extents: [6, 5], Self.rois))
        for map in [x, doubled(x)] {
            let regions = map.type.element == .float64 ? doubled(rois) : rois
            _ = try run(RoiAlign(RegionBins(height: 1, width: 1, samplingRatio: 256)), [map, regions])
            let error = #expect(throws: Misfit.self) {
                _ = try run(RoiAlign(RegionBins(height: 1, width: 1, samplingRatio: 257)), [map, regions])
            }
            #expect("\(error as Any)".contains("257, expected at most 256"))
        }
    }

    @Test("a constant map gives its value inside")
    func constant() throws {
        let x = try #require(Tensor(extents: [1, 1, 8, 8], [Float](repeating: 3, count: 64)))
        let rois = try #require(Tensor(extents: [1, 5], [Float(0), 2, 2, 6, 6]))
        let bins = RegionBins(height: 2, width: 2)
        for op in [
            RoiAlign(bins), MaxRoiPool(bins), PrRoiPool(bins), PSRoiPool(bins, outputChannels: 1, group: 1),
        ]
            as [any Operator]
        {
            let got = try run(op, [x, rois])[0].elements(as: Float.self)
            #expect(got.allSatisfy { abs($0 - 3) < 1e-5 }, "\(op.name)")
        }
    }

    @Test("every pooling is the same in double precision")
    func doubles() throws {
        let rois = try #require(Tensor(extents: [6, 5], Self.rois))
        let turned = try #require(
            Tensor(
                extents: [3, 6], [Float(0), 9, 8, 12, 6, 0.5, 1, 3, 4, 20, 9, -1.25, 0, 14, 20, 1, 0.5, 2]))
        let moves = shuffled([6, 2, 2, 2], 5)
        let bins = RegionBins(height: 2, width: 2, scale: 0.5, samplingRatio: 2, offset: 0.5)
        var adaptive = bins
        adaptive.samplingRatio = 0
        var rotated = RoiAlign(bins), greatest = RoiAlign(adaptive, mode: .maximumCorner)
        (rotated.angleScale, greatest.angleScale) = (1, -1)
        var least = bins
        (least.offset, least.minimum) = (0, 0.1)
        let cases: [(op: any Operator, channels: Int, others: [Tensor])] = [
            (rotated, 3, [turned]), (greatest, 3, [turned]), (PrRoiPool(bins), 3, [rois]),
            (DeformRoiPool(bins, displacementScale: 0.1), 3, [rois, moves]),
            (DeformRoiPool(adaptive, displacementScale: 0.1), 3, [rois]),
            (PSRoiPool(least, outputChannels: 2, group: 2), 8, [rois]),
            (PSRoiPool(least, outputChannels: 3, group: 1), 3, [rois]),
            (PSRoiPool(least, outputChannels: 2, group: nil, roundsAfterScaling: true), 8, [rois]),
            (deformable(bins, part: 2), 8, [rois, moves]), (deformable(bins, part: 1), 8, [rois]),
        ]
        for (op, channels, others) in cases {
            let inputs = [shuffled([2, channels, 9, 11])] + others
            let expected = try run(op, inputs.map(doubled))[0].elements(as: Double.self)
            let got = try run(op, inputs)[0].elements(as: Float.self)
            #expect(distance(got, expected) < 1e-4, "\(op)")
        }
    }

    private func deformable(_ bins: RegionBins, part: Int) -> DeformPSRoiPool {
        var bins = bins
        bins.minimum = 0.1
        return DeformPSRoiPool(
            bins, outputChannels: 2, group: 2, part: part, samples: [2, 3], displacementScale: 0.1)
    }

    @Test("oblong bins read channels of their own")
    func oblong() throws {
        let x = shuffled([2, 12, 9, 11])
        let rois = try #require(Tensor(extents: [6, 5], Self.rois))
        let bins = RegionBins(height: 2, width: 3, scale: 0.5, minimum: 1)
        let op = PSRoiPool(bins, outputChannels: 2, group: nil, roundsAfterScaling: true)
        let results = try run(op, [x, rois], outputs: 2)
        #expect(results[0].extents == [6, 2, 2, 3])
        #expect(results[1].elements(as: Int32.self).prefix(12) == ArraySlice((0..<12).map { Int32($0) }))
        let expected = try run(op, [doubled(x), doubled(rois)])[0].elements(as: Double.self)
        #expect(distance(results[0].elements(as: Float.self), expected) < 1e-5)
    }

    @Test("each region is pooled on its level", arguments: [RoiAlign.Mode.average, .maximumCorner])
    func levels(mode: RoiAlign.Mode) throws {
        let maps = [shuffled([1, 3, 16, 16], 1), shuffled([1, 3, 8, 8], 2)]
        let rois = try #require(Tensor(extents: [2, 5], [Float(0), 4, 4, 20, 20, 0, 0, 0, 60, 60]))
        let bins = RegionBins(height: 2, width: 2, samplingRatio: 2, offset: 0.5)
        let op = MultiLevelRoiAlign(bins, mode: mode, scales: [0.25, 0.125], canonicalSize: 28)
        let got = try run(op, [rois, maps[0], maps[1]])[0].elements(as: Float.self)
        var expected: [Double] = []
        for (level, map) in maps.enumerated() {
            var own = bins
            own.scale = op.scales[level]
            let all = try run(RoiAlign(own, mode: mode), [doubled(map), doubled(rois)])[0].elements(
                as: Double.self)
            expected += all[(level * 12)..<(level * 12 + 12)]
        }
        #expect(distance(got, expected) < 1e-5)
    }
}
