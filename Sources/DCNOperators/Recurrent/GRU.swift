package import DCNGraph

/// A recurrent network of gated units.
///
///     z = f(Wz·x + Rz·h + Wbz + Rbz)          r = f(Wr·x + Rr·h + Wbr + Rbr)
///     n = g(Wh·x + Rh·(r ⊙ h) + Rbh + Wbh)    or, linear before reset, g(Wh·x + r ⊙ (Rh·h + Rbh) + Wbh)
///     h = (1 − z) ⊙ n + z ⊙ h
///
/// Inputs: X, W, R, B?, sequence_lens?, initial_h?. Outputs: Y, Y_h. What is not finite makes the later states of its
/// sequence NaN, unless a function bounds it, and no other sequence's. Steps behind a sequence's end are 0; without
/// steps the last state is the first.
package struct GRU: Operator {
    package static let name = "GRU"
    /// How sequences are walked.
    package var recurrence = Recurrence()
    /// Whether the reset gate weighs products rather than the state.
    package var isLinearBeforeReset = false

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try recurrence.outputTypes(for: inputs, gates: 3, states: 1, functions: 2)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let walk = try RecurrentWalk(recurrence, gates: 3, call, name: Self.name)
        let isLinear = isLinearBeforeReset
        return .kernel(
            walk.isDouble
                ? walk.kernel(Double.self, states: 1) { Self.cell($0, isLinear) }
                : walk.kernel(Float.self, states: 1) { Self.cell($0, isLinear) })
    }

    private static func cell<T: BinaryFloatingPoint>(_ step: RecurrentStep<T>, _ isLinear: Bool) {
        let state = step.state(0)
        for gate in 0...1 {
            for i in 0..<step.hidden {
                step.input(gate)[i] = T(step.apply(0, Double(step.input(gate)[i] + step.feedback(gate)[i])))
            }
        }
        let reset = step.input(1)
        if !isLinear {
            for i in 0..<step.hidden { step.spare[i] = reset[i] * state[i] }
            step.sumFeedback(2, of: step.spare)
        }
        for i in 0..<step.hidden {
            let feedback = isLinear ? reset[i] * step.feedback(2)[i] : step.feedback(2)[i]
            let new = step.apply(1, Double(step.input(2)[i] + feedback))
            let keep = Double(step.input(0)[i])
            state[i] = T((1 - keep) * new + keep * Double(state[i]))
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        recurrence.written(Self.name, inputs, isLinearBeforeReset ? [("linear_before_reset", .int(1))] : [])
    }

    init(onnx node: SourceNode) throws(Misfit) {
        recurrence = try Recurrence(onnx: node, standard: [.sigmoid, .tanh])
        isLinearBeforeReset = try node.bool("linear_before_reset", default: false)
    }
}
