import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Movements of nothing")
struct EmptyTensorTests {
    private static let huge = 1 << 40

    @Test("large extents beside one of zero move nothing, enormous ones are refused")
    func hugeExtents() throws {
        for (op, inputs) in try Self.movements(of: [1 << 14, 1 << 8, 0]) {
            #expect(try run(op, inputs)[0].count == 0, "\(op.name)")
        }
        for (op, inputs) in try Self.movements(of: [Self.huge, 1 << 20, 0]) {
            #expect(throws: Misfit.self, "\(op.name)") { try run(op, inputs) }
        }
    }

    private static func movements(of extents: [Int]) throws -> [(any Operator, [Tensor?])] {
        let x = try #require(Tensor(extents: extents, [Float]()))
        return [
            (Transpose(), [x]), (Concat(axis: 2), [x, x]), (Tile(), [x, Tensor(vector: [Int64(1), 1, 2])]),
            (Slice(), [x, Tensor(vector: [Int64(1)]), Tensor(vector: [Int64(9)])]), (Trilu(), [x]),
            (TopK(axis: 1), [x, Tensor(vector: [Int64(3)])]), (CumSum(), [x, Tensor(scalar: Int64(0))]),
            (Gather(axis: 1), [x, Tensor(vector: [Int64(3)])]),
            (GatherElements(), [x, Tensor(extents: [0, 0, 0], [Int64]())]),
            (
                ScatterND(),
                [x, Tensor(extents: [0, 1], [Int64]()), Tensor(extents: [0, extents[1], 0], [Float]())]
            ),
        ]
    }

    @Test("an output larger than any memory is refused")
    func tooLarge() throws {
        let shape = Tensor(vector: [Int64(Self.huge), Int64(Self.huge)])
        #expect(throws: Misfit.self) { try run(Expand(), [counting([1]), shape]) }
        #expect(throws: Misfit.self) { try run(Tile(), [counting([1, 1]), shape]) }
        #expect(throws: Misfit.self) {
            try run(
                Pad(mode: .edge),
                [counting([1, 1]), Tensor(vector: [0, 0, Int64(Self.huge), Int64(Self.huge)])])
        }
    }
}
