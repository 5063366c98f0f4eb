import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Shape arithmetic")
struct ShapeArithmeticTests {
    private let image = ValueType.tensor(TensorType(.float32, ["N", 3, "H", "W"]))
    private func list(_ dimensions: [Dimension]) -> (ValueType, [Dimension]) {
        (.tensor(TensorType(.int64, [.fixed(dimensions.count)])), dimensions)
    }
    private func known(_ lists: (ValueType, [Dimension])..., data: ValueType? = nil) -> Inputs {
        let head = data.map { [$0] } ?? []
        return Inputs(
            head + lists.map { $0.0 },
            knownDimensions: Array(repeating: nil, count: head.count) + lists.map { $0.1 })
    }

    @Test("Shape gives the dimensions between start and end")
    func shape() {
        #expect(ShapeOf().dimensions(for: Inputs([image])) == [["N", 3, "H", "W"]])
        #expect(ShapeOf(start: -2).dimensions(for: Inputs([image])) == [["H", "W"]])
        #expect(ShapeOf(start: 1, end: -1).dimensions(for: Inputs([image])) == [[3, "H"]])
        #expect(ShapeOf(start: 3, end: 1).dimensions(for: Inputs([image])) == [[]])
    }

    @Test("Reshape keeps symbols and infers -1 by cancelling them")
    func reshape() throws {
        func reshaped(_ wanted: [Dimension]) throws -> Shape? {
            try Reshape().outputTypes(for: known(list(wanted), data: image))[0].tensor?.shape
        }
        #expect(try reshaped([0, -1, "H", "W"]) == ["N", 3, "H", "W"])
        #expect(try reshaped(["N", 3, -1, "W"]) == ["N", 3, "H", "W"])
        #expect(try reshaped([-1, 3, "H", "W"]) == ["N", 3, "H", "W"])
        #expect(try reshaped(["N", -1]) == ["N", .unknown])
    }

    @Test("Concat and Slice of shapes keep symbols")
    func concat() {
        #expect(Concat(axis: 0).dimensions(for: known(list(["N", 3]), list(["H"]))) == [["N", 3, "H"]])
        let sliced = Slice().dimensions(
            for: known(list(["N", 3, "H", "W"]), list([-1]), list([-9]), list([0]), list([-2])))
        #expect(sliced == [["W", 3]])
    }

    @Test("a count that does not fit is named")
    func misfit() {
        #expect(
            throws: Misfit.value(
                of: "shape", because: "is [4, 2], which cannot hold the elements of data [2, 3]")
        ) {
            try run(Reshape(), [counting([2, 3]), Tensor(vector: [Int64(4), 2])])
        }
    }
}
