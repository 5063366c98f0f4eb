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
}
