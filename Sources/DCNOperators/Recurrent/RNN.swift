package import DCNGraph

/// A simple recurrent network.
///
///     h = f(W · x + Wb + R · h + Rb)
///
/// Inputs: X, W, R, B?, sequence_lens?, initial_h?. Outputs: Y, Y_h. What is not finite makes the later states of its
/// sequence NaN, unless a function bounds it, and no other sequence's. Steps behind a sequence's end are 0; without
/// steps the last state is the first.
package struct RNN: Operator {
    package static let name = "RNN"
    /// How sequences are walked.
    package var recurrence = Recurrence()

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try recurrence.outputTypes(for: inputs, gates: 1, states: 1, functions: 1)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let walk = try RecurrentWalk(recurrence, gates: 1, call, name: Self.name)
        return .kernel(
            walk.isDouble
                ? walk.kernel(Double.self, states: 1, cell: Self.cell)
                : walk.kernel(Float.self, states: 1, cell: Self.cell))
    }

    @Sendable private static func cell<T: BinaryFloatingPoint>(_ step: RecurrentStep<T>) {
        for i in 0..<step.hidden {
            step.state(0)[i] = T(step.apply(0, Double(step.input(0)[i] + step.feedback(0)[i])))
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        recurrence.written(Self.name, inputs)
    }

    init(onnx node: SourceNode) throws(Misfit) { recurrence = try Recurrence(onnx: node, standard: [.tanh]) }
}
