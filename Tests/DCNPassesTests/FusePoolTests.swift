import DCNGraph
import DCNOperators
import DCNPasses
import DCNRuntime
import TestSupport
import Testing

@Suite("Pooling with a first layer")
struct FusePoolTests {
    /// A first layer and the pooling of its results.
    struct Case: CustomStringConvertible, Sendable {
        var input: [Int]
        var outputs = 20
        var kernel = [7, 7]
        var strides = [2, 2]
        var pads = [3, 3, 3, 3]
        var pool = PoolWindow(kernel: [3, 3], strides: [2, 2], pads: [1, 1, 1, 1])
        var hasBias = true

        var description: String {
            "\(input) \(outputs) \(kernel) \(strides) \(pads) \(pool.kernel) \(pool.strides)"
        }

        var convolution: Conv {
            var op = Conv()
            op.window.strides = strides
            op.window.pads = pads
            op.activation = Activation(.relu)
            return op
        }

        func graph() throws -> Graph {
            var b = Builder()
            let x = b.input("x", input)
            let weights = b.constant("w", [outputs, input[1]] + kernel)
            let bias = hasBias ? b.constant("b", [outputs]) : nil
            let y = try b.node(convolution, [x, weights, bias], "conv")
            b.graph.addOutput(try b.node(Pool(.maximum, pool), [y], "pool"), named: "z")
            return b.graph
        }
    }

    static let cases = [
        Case(input: [1, 3, 64, 70]),
        Case(input: [2, 3, 41, 611], outputs: 16),
        Case(input: [2, 3, 150, 611], outputs: 70),
        Case(input: [1, 4, 61, 640], outputs: 32, kernel: [8, 7], pads: [2, 0, 4, 1]),
        Case(input: [1, 1, 300, 9], outputs: 67, hasBias: false),
        Case(
            input: [1, 4, 23, 301], kernel: [3, 3], strides: [1, 1], pads: [1, 0, 0, 1],
            pool: PoolWindow(kernel: [2, 2], strides: [2, 2], roundsUp: true)),
        Case(
            input: [1, 3, 90, 50], kernel: [3, 5], strides: [1, 3], pads: [0, 0, 0, 0],
            pool: PoolWindow(kernel: [5, 1], strides: [1, 2], pads: [2, 0, 1, 0])),
        Case(
            input: [1, 2, 37, 45], kernel: [1, 1], strides: [1, 1], pads: [0, 0, 0, 0],
            pool: PoolWindow(kernel: [2, 3], strides: [5, 7])),
        Case(
            input: [1, 3, 12, 200], kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1],
            pool: PoolWindow(kernel: [16, 3], strides: [3, 1], padding: .sameUpper)),
        Case(
            input: [1, 3, 5, 6], kernel: [3, 3], strides: [1, 1], pads: [0, 0, 0, 0],
            pool: PoolWindow(kernel: [2, 2], strides: [1, 1], pads: [4, 4, 4, 4])),
    ]

    @Test(
        "the answer is that of convolution and pooling, bit by bit, on any instruction set", arguments: cases,
        [Accuracy.exact, .default])
    func sameBits(_ example: Case, _ accuracy: Accuracy) throws {
        let apart = try laidOut(example.graph(), accuracy)
        let (joined, log) = try after(FusePool(), apart)
        #expect(operators(apart) == ["Conv", "Pool", "Relayout"])
        #expect(operators(joined) == ["PooledConv", "Relayout"])
        #expect(log.map(\.rule) == ["fuse-pool"])
        for set in InstructionSet.available {
            #expect(try bits(apart, set, threads: 1) == bits(joined, set, threads: 1))
            #expect(try bits(joined, set, threads: 1) == bits(joined, set, threads: 3))
        }
    }

    /// What `LayOut` makes before it fuses; between packing and layouts a graph is no whole one.
    private func laidOut(_ graph: Graph, _ accuracy: Accuracy) throws -> Graph {
        var (graph, log) = (graph, [Rewriting]())
        try PackWeights(accuracy).run(on: &graph, log: &log)
        try AssignLayouts().run(on: &graph, log: &log)
        try DropDead().run(on: &graph, log: &log)
        try graph.check()
        return graph
    }

    private func bits(_ graph: Graph, _ set: InstructionSet, threads: Int) throws -> [UInt32] {
        var numbers = Seeded(3)
        let x = numbers.tensor(graph[graph.inputs[0]].type.tensor?.extents ?? [], scale: 2)
        var session = try Session(
            Model(graph: graph), options: Options(threads: threads, instructionSet: set))
        let results: [String: Tensor] = try session.run(["x": x])
        return results["z"]?.elements(as: Float.self).map(\.bitPattern) ?? []
    }

    @Test("whoever else reads the results keeps the two apart, as do positions, averages and large windows")
    func stays() throws {
        for kind in ["read", "output", "positions", "average", "large", "dilated"] {
            var b = Builder()
            let x = b.input("x", [1, 3, 40, 40])
            let y = try b.node(Conv(), [x, b.constant("w", [16, 3, 3, 3])], "conv")
            var window = PoolWindow(kernel: [3, 3], strides: [2, 2])
            if kind == "large" { window.kernel = [17, 3] }
            if kind == "dilated" { window.dilations = [2, 1] }
            let op = Pool(kind == "average" ? .average(countsPadding: false) : .maximum, window)
            let results = try b.graph.append(
                op, [y], named: "pool", outputNames: kind == "positions" ? ["z", "at"] : ["z"])
            b.graph.addOutput(results[0], named: "z")
            if kind == "positions" { b.graph.addOutput(results[1], named: "at") }
            if kind == "output" { b.graph.addOutput(y, named: "y") }
            if kind == "read" { b.graph.addOutput(try b.node(Relu(), [y], "relu"), named: "y") }
            let (graph, _) = try after(LayOut(.exact), b.graph)
            #expect(!operators(graph).contains("PooledConv"), "\(kind)")
        }
    }
}
