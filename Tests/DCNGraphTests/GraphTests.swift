import DCNGraph
import DCNOperators
import Testing

@Suite("The graph")
struct GraphTests {
    private func small() throws -> Graph {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["n", 3])))
        let y = try graph.append(Relu(), [x], named: "act", outputNames: ["y"])[0]
        let z = try graph.append(LeakyRelu(alpha: 0.5), [y], named: "leak", outputNames: ["z"])[0]
        graph.addOutput(z)
        return graph
    }

    @Test("prints one line a node")
    func text() throws {
        #expect(
            "\(try small())" == """
                graph(x: float32[n, 3]) -> (z)
                    y: float32[n, 3] = Relu(x)
                    z: float32[n, 3] = LeakyRelu(y) {alpha: 0.5}
                """)
    }

    @Test("control characters of names are printed escaped")
    func escaping() throws {
        var graph = Graph()
        let x = graph.addInput("a\u{1B}[31m\n", .tensor(TensorType(.float32, [1])))
        graph.addOutput(x)
        #expect("\(graph)" == #"graph(a\u{1b}[31m\u{a}: float32[1]) -> (a\u{1b}[31m\u{a})"#)
    }

    @Test("copies do not change each other")
    func value() throws {
        let before = try small()
        var copy = before
        let node = copy.nodes[1]
        let input = try #require(copy[node].inputs[0])
        copy.replace(try #require(copy[node].outputs[0]), with: input)
        copy.remove(node)
        try copy.check()
        #expect(copy.nodes.count == 1 && before.nodes.count == 2)
        #expect(copy.outputNames == ["z"])
    }

    @Test("each reading of a value is told apart: replaced, set, and taken out")
    func readings() throws {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, [3])))
        let y = graph.addInput("y", .tensor(TensorType(.float32, [3])))
        let sum = try graph.append(Add(), [x, x], named: "sum")[0]
        graph.addOutput(sum)
        let node = try #require(graph[sum].producer)
        graph.setInput(1, of: node, to: y)
        try graph.check()
        #expect(graph[x].consumers == [node] && graph[y].consumers == [node])
        graph.replace(x, with: y)
        try graph.check()
        #expect(graph[node].inputs == [y, y] && graph[x].consumers.isEmpty)
        graph.setInput(0, of: node, to: x)
        try graph.check()
        #expect(graph[node].inputs == [x, y])
        graph.removeAll([node])
        #expect(graph[x].consumers.isEmpty && graph[y].consumers.isEmpty)
    }

    @Test("what does not fit is refused with its place")
    func misfit() throws {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, [2, 3])))
        let y = graph.addInput("y", .tensor(TensorType(.float32, [2, 4])))
        let origin = Origin(file: "m.onnx", path: "graph.node[0]", node: "sum", written: "Add")
        let error = #expect(throws: DCNError.self) {
            try graph.append(Add(), [x, y], named: "sum", origin: origin)
        }
        let text = "\(try #require(error))"
        #expect(text.hasPrefix("m.onnx: graph.node[0] 'sum' (Add): map: "))
        #expect(error?.kind == .model)
    }

    @Test("attributes survive being written and read")
    func attributes() throws {
        var conv = Conv()
        conv.window.strides = [2, 1]
        conv.activation = Activation(.clip, alpha: 0, beta: 6)
        conv.packed = WeightForm(deform: [1, 2, 3, 3])
        let value = try AttributeEncoder.encode(conv)
        #expect(try AttributeDecoder.decode(Conv.self, from: value) == conv)
        #expect(throws: (any Error).self) { try AttributeDecoder.decode(Conv.self, from: .list([value])) }
    }
}
