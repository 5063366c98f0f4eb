import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Shapes that are wrong or enormous")
struct HostileShapeTests {
    @Test("a shape of no entries, known at the run only, is compared with the data")
    func emptyShape() throws {
        let type = ValueType.tensor(TensorType(.float32, extents: [2, 3]))
        let shape = ValueType.tensor(TensorType(.int64, extents: [0]))
        let op = Reshape()
        let outputs = try op.outputTypes(for: Inputs([type, shape]))
        let execution = try op.execution(
            for: Call(inputs: [type, shape], outputs: outputs, instructionSet: .baseline))
        guard case .routine(let routine) = execution else {
            Issue.record("a kernel would write six elements where one has room")
            return
        }
        let inputs: [Datum?] = [.tensor(counting([2, 3])), .tensor(Tensor(vector: [Int64]()))]
        #expect(throws: Misfit.self) {
            try routine.run(inputs, in: SerialScope(instructionSet: .baseline, byteLimit: 1 << 20))
        }
    }

    @Test("an output of no elements but an enormous axis is refused before tables are made for it")
    func enormousAxis() {
        let x = Tensor(extents: [0, 3], [Float]())
        #expect(throws: Misfit.self) {
            try run(Pad(mode: .edge), [x, Tensor(vector: [Int64(0), 0, 0, 1 << 31])])
        }
    }

    @Test("extents whose product overflows are refused, also beside a zero", arguments: [0, 1, 7])
    func overflow(first: Int) {
        let types: [ValueType?] = [.tensor(TensorType(.float32, extents: [first, 1 << 40, 1 << 40]))]
        #expect(throws: Misfit.self) { try Identity().boundedOutputTypes(for: Inputs(types)) }
    }

    @Test("negative extents are refused")
    func negative() {
        let types: [ValueType?] = [.tensor(TensorType(.float32, extents: [2, -1]))]
        #expect(throws: Misfit.self) { try Identity().boundedOutputTypes(for: Inputs(types)) }
    }
}
