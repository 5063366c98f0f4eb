import DCNGraph
import DCNOperators
import DCNPasses
import Testing

@Suite("Fusing activations and sums")
struct FuseActivationTests {
    private func graph(_ activation: any Operator) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [1, 3, 6, 5])
        let y = try b.node(Conv(), [x, b.constant("w", [4, 3, 3, 3])], "conv")
        b.graph.addOutput(try b.node(activation, [y], "act"), named: "z")
        return b.graph
    }

    @Test(
        "an activation is applied where results are made",
        arguments: [Relu(), LeakyRelu(alpha: 0.3), Sigmoid(), Tanh(), HardSwish(), Mish(), Swish()]
            as [any Operator])
    func fires(_ activation: any Operator) throws {
        let before = try graph(activation)
        let (after, log) = try after(FuseActivation(), before)
        #expect(operators(after) == ["Conv"])
        #expect(log.map(\.rule) == ["fuse-activation"])
        try expectSameAnswers(before, after)
    }

    @Test("not what no kernel applies, and not twice")
    func stays() throws {
        let (one, _) = try after(FuseActivation(), try graph(Softsign()))
        #expect(operators(one) == ["Conv", "Softsign"])
        var b = Builder()
        let x = b.input("x", [1, 3, 6, 5])
        let y = try b.node(Conv(), [x, b.constant("w", [4, 3, 3, 3])], "conv")
        let z = try b.node(Sigmoid(), [try b.node(Relu(), [y], "relu")], "sigmoid")
        b.graph.addOutput(z, named: "z")
        let (two, _) = try after(FuseActivation(), b.graph)
        #expect(operators(two) == ["Conv", "Sigmoid"])
        try expectSameAnswers(b.graph, two)
    }

    private func sum(_ other: [Int]) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [1, 3, 6, 5])
        let r = b.input("r", other)
        let y = try b.node(Conv(), [x, b.constant("w", [4, 3, 3, 3])], "conv")
        b.graph.addOutput(try b.node(Add(), [r, y], "sum"), named: "z")
        return b.graph
    }

    @Test("a sum of the same shape is added where results are made")
    func residual() throws {
        let before = try sum([1, 4, 4, 3])
        let (graph, log) = try after(FuseResidual(), before)
        #expect(operators(graph) == ["Conv"])
        #expect(log.count == 1)
        try expectSameAnswers(before, graph)
    }

    @Test("a sum that broadcasts stays")
    func broadcast() throws {
        let (graph, log) = try after(FuseResidual(), try sum([1, 4, 1, 1]))
        #expect(operators(graph) == ["Conv", "Add"])
        #expect(log.isEmpty)
    }

    /// x · (1 + erf(x / √2)) · ½ in one of its spellings, `number` in place of ½.
    private func gelu(_ spelling: Int, _ number: Float) throws -> Graph {
        var b = Builder()
        func constant(_ value: Float) -> ValueID {
            b.graph.addConstant("c", .tensor(Tensor(vector: [value])))
        }
        func product(_ values: ValueID...) throws -> ValueID {
            try b.node(Mul(), spelling % 2 == 0 ? values : values.reversed(), "mul")
        }
        let x = b.input("x", [2, 3])
        let scaled =
            spelling % 3 == 0
            ? try b.node(Div(), [x, constant(Float(2).squareRoot())], "div")
            : try product(x, constant(Float(0.5).squareRoot()))
        let erf = try b.node(Erf(), [scaled], "erf")
        let one = constant(1)
        let gate = try b.node(Add(), spelling % 2 == 0 ? [erf, one] : [one, erf], "add")
        let half = constant(number)
        let y =
            switch spelling / 6 {
            case 0: try product(try product(x, gate), half)
            case 1: try product(try product(x, half), gate)
            default: try product(x, try product(half, gate))
            }
        b.graph.addOutput(y, named: "y")
        return b.graph
    }

    @Test("gelu is recognised in all its spellings, and not with another factor", arguments: 0..<18)
    func gelu(_ spelling: Int) throws {
        let before = try gelu(spelling, 0.5)
        let (graph, log) = try after(Rewrite(FuseGelu()), before)
        #expect(operators(graph) == ["Gelu"])
        #expect(log.map(\.rule) == ["fuse-gelu"])
        try expectSameAnswers(before, graph)
        let other = try gelu(spelling, 0.4)
        let (same, _) = try after(Rewrite(FuseGelu()), other)
        #expect(operators(same) == operators(other))
    }

    @Test("swish is recognised in both orders, and not with two values")
    func silu() throws {
        for (left, right, fires) in [(0, 1, true), (1, 0, true), (2, 1, false)] {
            var b = Builder()
            let x = b.input("x", [2, 3])
            let other = b.input("y", [2, 3])
            let values = [x, try b.node(Sigmoid(), [x], "sigmoid"), other]
            b.graph.addOutput(try b.node(Mul(), [values[left], values[right]], "mul"), named: "z")
            let (graph, _) = try after(Rewrite(FuseSilu()), b.graph)
            #expect(operators(graph) == (fires ? ["Swish"] : ["Sigmoid", "Mul"]))
            try expectSameAnswers(b.graph, graph)
        }
    }
}
