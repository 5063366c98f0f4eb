import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Regions of maps without pixels")
struct EmptyMapTests {
    @Test(
        "a sample at the edge of nothing is nowhere", arguments: InstructionSet.available,
        [[1, 2, 0, 3], [1, 2, 3, 0]])
    func align(instructionSet: InstructionSet, extents: [Int]) throws {
        let x = Tensor(extents: extents, [Float]())
        let regions = Tensor(extents: [1, 5], [Float(0), 0, 0, 0, 0])
        let y = try run(RoiAlign(RegionBins(height: 1, width: 1)), [x, regions], on: instructionSet)
        #expect(y.first?.elements(as: Float.self).allSatisfy { $0 == 0 } == true)
    }

    @Test("no pooling reads beside nothing", arguments: [[1, 4, 0, 3], [1, 4, 3, 0], [0, 4, 3, 3]])
    func poolings(extents: [Int]) throws {
        let (bins, square) = (RegionBins(height: 1, width: 2), RegionBins(height: 2, width: 2))
        var sensitive = RoiAlign(bins)
        sensitive.isPositionSensitive = true
        let poolings: [any Operator] = [
            RoiAlign(bins), sensitive, MaxRoiPool(bins), PrRoiPool(bins),
            PSRoiPool(square, outputChannels: 1, group: 2),
            DeformPSRoiPool(
                square, outputChannels: 1, group: 2, part: 2, samples: [2, 2], displacementScale: 0.1),
        ]
        let x = try #require(Tensor(extents: extents, [Float]()))
        let regions = try #require(Tensor(extents: [2, 5], [Float(0), 0, 0, 0, 0, -0.5, 0, 0, 1, 1]))
        for op in poolings {
            #expect(try run(op, [x, regions])[0].elements(as: Float.self).allSatisfy { $0 == 0 }, "\(op)")
            let wide = try run(op, [doubled(x), doubled(regions)])[0].elements(as: Double.self)
            #expect(wide.allSatisfy { $0 == 0 }, "\(op)")
        }
    }
}
