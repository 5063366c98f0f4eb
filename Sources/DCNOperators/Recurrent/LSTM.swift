package import DCNGraph

/// A recurrent network with long memory.
///
///     i = f(Wi·x + Ri·h + Pi ⊙ c + Wbi + Rbi)     f = f(Wf·x + Rf·h + Pf ⊙ c + Wbf + Rbf), or 1 − i where coupled
///     c = f ⊙ c + i ⊙ g(Wc·x + Rc·h + Wbc + Rbc)
///     o = f(Wo·x + Ro·h + Po ⊙ c + Wbo + Rbo)     h = o ⊙ h(c)
///
/// Inputs: X, W, R, B?, sequence_lens?, initial_h?, initial_c?, P?; gates in the order i, o, f, c. Outputs: Y, Y_h, Y_c.
/// What is not finite makes the later states of its sequence NaN, unless a function bounds it, and no other
/// sequence's. Steps behind a sequence's end are 0; without steps the last state is the first.
package struct LSTM: Operator {
    package static let name = "LSTM"
    /// How sequences are walked.
    package var recurrence = Recurrence()
    /// Whether the forget gate is what the input gate leaves.
    package var isCoupled = false

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let types = try recurrence.outputTypes(for: inputs, gates: 4, states: 2, functions: 3)
        if let peepholes = try inputs.optional(7, "P", rank: 2) {
            try peepholes.expectSameElement(as: try inputs.required(0, "X"))
            try peepholes.expect(recurrence.directions, along: 0, because: "directions")
            if let hidden = try inputs.required(2, "R").dimension(2).fixed {
                try peepholes.expect(3 * hidden, along: 1, because: "three for each unit")
            }
        }
        return types
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let walk = try RecurrentWalk(recurrence, gates: 4, call, name: Self.name)
        let isCoupled = isCoupled
        return .kernel(
            walk.isDouble
                ? walk.kernel(Double.self, states: 2) { Self.cell($0, isCoupled) }
                : walk.kernel(Float.self, states: 2) { Self.cell($0, isCoupled) })
    }

    private static func cell<T: BinaryFloatingPoint>(_ step: RecurrentStep<T>, _ isCoupled: Bool) {
        let state = step.state(0)
        let memory = step.state(1)
        func sum(_ gate: Int, _ i: Int) -> Double { Double(step.input(gate)[i] + step.feedback(gate)[i]) }
        func peephole(_ gate: Int, _ i: Int) -> Double {
            step.peepholes.map { Double($0[gate * step.hidden + i]) * Double(memory[i]) } ?? 0
        }
        for i in 0..<step.hidden {
            let enter = step.apply(0, sum(0, i) + peephole(0, i))
            let keep = isCoupled ? 1 - enter : step.apply(0, sum(2, i) + peephole(2, i))
            memory[i] = T(keep * Double(memory[i]) + enter * step.apply(1, sum(3, i)))
            let leave = step.apply(0, sum(1, i) + peephole(1, i))
            state[i] = T(leave * step.apply(2, Double(memory[i])))
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        recurrence.written(Self.name, inputs, isCoupled ? [("input_forget", .int(1))] : [])
    }

    init(onnx node: SourceNode) throws(Misfit) {
        recurrence = try Recurrence(onnx: node, standard: [.sigmoid, .tanh, .tanh])
        isCoupled = try node.bool("input_forget", default: false)
    }
}
