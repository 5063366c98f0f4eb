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

    @Test("each region is pooled on its level")
    func levels() throws {
        let maps = [shuffled([1, 3, 16, 16], 1), shuffled([1, 3, 8, 8], 2)]
        let rois = try #require(Tensor(extents: [2, 5], [Float(0), 4, 4, 20, 20, 0, 0, 0, 60, 60]))
        let bins = RegionBins(height: 2, width: 2, samplingRatio: 2, offset: 0.5)
        let op = MultiLevelRoiAlign(bins, scales: [0.25, 0.125], canonicalSize: 28)
        let got = try run(op, [rois, maps[0], maps[1]])[0].elements(as: Float.self)
        var expected: [Double] = []
        for (level, map) in maps.enumerated() {
            var own = bins
            own.scale = op.scales[level]
            let all = try run(RoiAlign(own), [doubled(map), doubled(rois)])[0].elements(as: Double.self)
            expected += all[(level * 12)..<(level * 12 + 12)]
        }
        #expect(distance(got, expected) < 1e-5)
    }
}
