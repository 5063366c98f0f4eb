import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// A scope whose bodies are closures, and which ends after so many checkpoints.
private final class ClosureScope: Scope {
    let serial = SerialScope(instructionSet: .baseline, byteLimit: 1 << 20)
    let bodies: [([Datum?]) -> [Datum]]
    var checkpointsLeft: Int

    init(_ bodies: [([Datum?]) -> [Datum]], checkpoints: Int = 1000) {
        self.bodies = bodies
        checkpointsLeft = checkpoints
    }

    var instructionSet: InstructionSet { .baseline }
    func run(body index: Int, _ inputs: [Datum?]) throws(Misfit) -> [Datum] { bodies[index](inputs) }
    func checkpoint() throws(Misfit) {
        checkpointsLeft -= 1
        if checkpointsLeft < 0 { throw .stopped("the time allowed is over") }
    }
    func allocate(_ type: TensorType) throws(Misfit) -> MutableTensor { try serial.allocate(type) }
    func run(_ kernel: any Kernel, inputs: [Tensor?], outputs: [MutableTensor]) throws(Misfit) {
        try serial.run(kernel, inputs: inputs, outputs: outputs)
    }
}

@Suite("Loop and Scan")
struct LoopTests {
    /// A body that takes and gives values of these types.
    private func body(_ inputs: [ValueType], _ outputs: [ValueType]) throws -> Graph {
        var graph = Graph(name: "body")
        for (index, type) in inputs.enumerated() { _ = graph.addInput("i\(index)", type) }
        for (index, type) in outputs.enumerated() {
            graph.addOutput(graph.addInput("x\(index)", type), named: "o\(index)")
        }
        return graph
    }

    private func number(_ datum: Datum?) -> Int { datum?.tensor?.integers?.first ?? -1 }
    private let scalar = ValueType.tensor(TensorType(.int64, []))
    private let flag = ValueType.tensor(TensorType(.bool, []))

    /// Runs a routine of an operator whose body has the given output types.
    private func run(
        _ op: any Operator, _ values: [Datum?], outputs: [ValueType], in scope: ClosureScope
    ) throws -> [Datum?] {
        let inputs = Array(repeating: scalar, count: 8)
        let call = Call(
            inputs: values.map { $0?.type }, outputs: [], instructionSet: .baseline,
            bodies: [try body(inputs, outputs)])
        guard case .routine(let routine) = try op.execution(for: call) else { return [] }
        return try routine.run(values, in: scope)
    }

    @Test("a loop without limit ends by its condition, and stacks what each trip gives")
    func condition() throws {
        let scope = ClosureScope([
            { values in
                let sum = self.number(values[2]) + self.number(values[3])
                let trip = Tensor(scalar: Int64(self.number(values[0])))
                return [
                    .tensor(Tensor(scalar: sum < 10)), .tensor(Tensor(scalar: Int64(sum))), .tensor(trip),
                ]
            }
        ])
        let values: [Datum?] = [
            .tensor(Tensor(scalar: Int64.max)), nil, .tensor(Tensor(scalar: Int64(0))),
            .tensor(Tensor(scalar: Int64(4))),
        ]
        let results = try run(Loop(carriedCount: 1), values, outputs: [flag, scalar, scalar], in: scope)
        #expect(number(results[0]) == 12)
        #expect(results[1]?.tensor?.integers == [0, 1, 2])
    }

    @Test("a loop of no trip gives its carried values and nothing stacked")
    func noTrip() throws {
        let values: [Datum?] = [.tensor(Tensor(scalar: Int64(0))), nil, .tensor(Tensor(scalar: Int64(7)))]
        let results = try run(
            Loop(carriedCount: 1), values, outputs: [flag, scalar, .tensor(TensorType(.float32, [3]))],
            in: ClosureScope([]))
        #expect(number(results[0]) == 7)
        #expect(results[1]?.tensor?.extents == [0, 3])
    }

    @Test("a loop that never ends is stopped from outside")
    func endless() throws {
        let scope = ClosureScope([{ _ in [.tensor(Tensor(scalar: true))] }])
        #expect(throws: Misfit.stopped("the time allowed is over")) {
            try run(Loop(carriedCount: 0), [nil, nil], outputs: [flag], in: scope)
        }
    }

    @Test("stacks may not outgrow what may be allocated")
    func budget() throws {
        let slice = counting([1 << 10])
        let scope = ClosureScope(
            [{ _ in [.tensor(Tensor(scalar: true)), .tensor(slice)] }], checkpoints: 1 << 20)
        #expect(throws: Misfit.self) {
            try run(Loop(carriedCount: 0), [nil, nil], outputs: [flag, .tensor(slice.type)], in: scope)
        }
        #expect(scope.checkpointsLeft > (1 << 20) - 1000)
    }

    @Test(
        "Scan reads and writes along any axis and in either direction", arguments: [false, true],
        [false, true])
    func scan(readsBack: Bool, writesBack: Bool) throws {
        let x = counting([2, 3])
        let scope = ClosureScope([{ values in [values[0] ?? .tensor(x)] }])
        let op = Scan(
            stateCount: 0, scannedCount: 1, inputAxes: [1], inputsReversed: [readsBack], outputAxes: [-1],
            outputsReversed: [writesBack])
        let slice = ValueType.tensor(TensorType(.float32, [2]))
        let results = try run(op, [.tensor(x)], outputs: [slice], in: scope)
        let expected: [Float] = readsBack == writesBack ? [0, 1, 2, 3, 4, 5] : [2, 1, 0, 5, 4, 3]
        #expect(results[0]?.tensor?.elements(as: Float.self) == expected)
    }

    @Test("Scan of operator set 8 pads short sequences with zeros")
    func batched() throws {
        let scope = ClosureScope([{ values in [values[0] ?? .tensor(counting([]))] }])
        let lengths = Datum.tensor(Tensor(vector: [Int64(1), 3]))
        let results = try run(
            BatchedScan(stateCount: 0, scannedCount: 1), [lengths, .tensor(counting([2, 3], from: 1))],
            outputs: [.tensor(TensorType(.float32, []))], in: scope)
        #expect(results[0]?.tensor?.extents == [2, 3])
        #expect(results[0]?.tensor?.elements(as: Float.self) == [1, 0, 0, 4, 5, 6])
    }
}
