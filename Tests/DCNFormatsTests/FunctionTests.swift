import DCNFormats
import DCNGraph
import Testing

@Suite("Functions of a model")
struct FunctionTests {
    func function(
        _ name: String, inputs: [String], outputs: [String], _ nodes: [Proto], opsets: [(String, Int)] = [],
        more: [Proto] = []
    ) -> Proto {
        Proto(
            [.text(1, name), .text(10, "f")] + inputs.map { .text(4, $0) } + outputs.map { .text(5, $0) }
                + nodes
                + opsets.map { .message(9, .text(1, $0.0), .int(2, $0.1)) } + more)
    }

    func nodes(_ graph: [Proto], _ functions: [Proto]) throws -> [SourceNode] {
        try readOnnx(bytes: Onnx.model(graph, functions: functions), named: "m").graph.nodes
    }

    func text(_ node: SourceNode) -> String {
        "\(node.outputs.joined(separator: ",")) = \(node.opType)\(node.version)(\(node.inputs.joined(separator: ",")))"
    }

    @Test("a call becomes the function's nodes, its inner names its own at each call")
    func inlined() throws {
        let swish = function(
            "Swish", inputs: ["a"], outputs: ["b"],
            [Onnx.node("Sigmoid", ["a"], ["s"], field: 7), Onnx.node("Mul", ["a", "s"], ["b"], field: 7)],
            opsets: [("", 14)])
        let calls = [
            Onnx.node("Swish", ["x"], ["y"], domain: "f", name: "one"),
            Onnx.node("Swish", ["y"], ["z"], domain: "f", name: "one"),
        ]
        #expect(
            try nodes(calls, [swish]).map(text) == [
                "one›s = Sigmoid14(x)", "y = Mul14(x,one›s)", "one›s~2 = Sigmoid14(y)",
                "z = Mul14(y,one›s~2)",
            ])
        #expect(try nodes(calls, [swish])[1].origin.path == "graph.node[0] > f::Swish.node[1]")
    }

    @Test("attributes come from the call, else from the default, else not at all")
    func attributes() throws {
        let reference = { (name: String, from: String) in
            Proto([.text(1, name), .int(20, 2), .text(21, from)])
        }
        let inner = function(
            "F", inputs: [], outputs: ["b"],
            [
                Onnx.node(
                    "N", [], ["b"], [reference("p", "a"), reference("q", "d"), reference("r", "none")],
                    field: 7)
            ], more: [.text(6, "a"), .bytes(11, Onnx.attribute("d", type: 2, .int(3, 8)).bytes)])
        let call = Onnx.node("F", [], ["y"], domain: "f", [Onnx.attribute("a", type: 2, .int(3, 5))])
        let node = try nodes([call], [inner])[0]
        #expect(try node.optionalInt("p") == 5 && node.optionalInt("q") == 8 && node.optionalInt("r") == nil)
        #expect(outcome(Onnx.model([Onnx.node("N", [reference("p", "a")])])).contains("outside any"))
    }

    @Test("functions within functions, bodies within functions, and values passed through")
    func nested() throws {
        let inner = function("In", inputs: ["a"], outputs: ["b"], [Onnx.node("Abs", ["a"], ["b"], field: 7)])
        let body: Proto = .message(6, Onnx.node("Neg", ["t"], ["u"]), .message(12, .text(1, "u")))
        let outer = function(
            "Out", inputs: ["a", "b"], outputs: ["c", "a"],
            [
                Onnx.node("In", ["a"], ["t"], domain: "f", field: 7),
                Onnx.node("If", ["b"], ["c"], [Onnx.attribute("then_branch", type: 5, body)], field: 7),
            ])
        let found = try nodes([Onnx.node("Out", ["x"], ["y", "z"], domain: "f", name: "o")], [inner, outer])
        #expect(found.map(text) == ["o›t = Abs19(x)", "y = If19()", "z = Identity19(x)"])
        guard case .graph(let graph) = found[1].attribute("then_branch") else {
            Issue.record("no graph")
            return
        }
        #expect(text(graph.nodes[0]) == "o›u = Neg19(o›t)" && graph.outputs[0].name == "o›u")
    }

    @Test("recursion is refused by name, with as many levels between as there are")
    func recursion() {
        let one = function("One", inputs: [], outputs: [], [Onnx.node("Two", domain: "f", field: 7)])
        let two = function("Two", inputs: [], outputs: [], [Onnx.node("One", domain: "f", field: 7)])
        let text = outcome(Onnx.model([Onnx.node("One", domain: "f")], functions: [one, two]))
        #expect(text.hasSuffix("read: function f::One calls itself"))
    }

    @Test("expansion is limited in nodes, in bytes and in depth")
    func expansion() {
        var functions: [Proto] = []
        for level in 0..<60 {
            let call = Onnx.node("F\(level + 1)", domain: "f", field: 7)
            functions.append(function("F\(level)", inputs: [], outputs: [], [call, call]))
        }
        functions.append(function("F60", inputs: [], outputs: [], []))
        var limits = ReadingLimits()
        limits.nodes = 10_000
        let start = Onnx.model([Onnx.node("F0", domain: "f")], functions: functions)
        #expect(outcome(start, limits: limits).hasSuffix("there are more than 10000 nodes"))

        let chain = (0..<200).map { level in
            function(
                "F\(level)", inputs: [], outputs: [], [Onnx.node("F\(level + 1)", domain: "f", field: 7)])
        }
        let deep = Onnx.model([Onnx.node("F0", domain: "f")], functions: chain)
        #expect(outcome(deep).contains("nested deeper than"))

        let long = Onnx.attribute("s", type: 3, .bytes(4, [UInt8](repeating: 65, count: 10_000)))
        let heavy = function("H", inputs: [], outputs: [], [Onnx.node("N", [long], field: 7)])
        limits.unpackedByteCount = 5_000_000
        let calls = Onnx.model((0..<1000).map { _ in Onnx.node("H", domain: "f") }, functions: [heavy])
        #expect(
            outcome(calls, limits: limits).contains(
                "names, places and attributes take more than 5000000 bytes"))
    }

    @Test("names of functions, calls, operators and attributes are not held again with each inner node")
    func longNames() throws {
        let long = String(repeating: "n", count: 100_000)
        let inner = (0..<1000).map { Onnx.node("Relu", ["t\($0)"], ["t\($0 + 1)"], field: 7) }
        let named = function(long, inputs: ["t0"], outputs: ["t1000"], inner)
        let found = try nodes([Onnx.node(long, ["x"], ["y"], domain: "f")], [named])
        #expect(found.allSatisfy { $0.outputs[0].utf8.count < 300 && $0.origin.path.utf8.count < 300 })

        var limits = ReadingLimits()
        limits.unpackedByteCount = 5_000_000
        let heavy = function("H", inputs: [], outputs: [], [Onnx.node(long, field: 7)])
        let calls = Onnx.model((0..<1000).map { _ in Onnx.node("H", domain: "f") }, functions: [heavy])
        #expect(outcome(calls, limits: limits).contains("names, places and attributes take more than"))
    }

    @Test("a call that doesn't fit, and a function defined twice")
    func misfits() {
        let one = function("One", inputs: ["a"], outputs: ["b"], [])
        let call = Onnx.node("One", ["x", "y"], ["z"], domain: "f")
        #expect(
            outcome(Onnx.model([call], functions: [one])).contains(
                "has 1 inputs and 1 outputs, the call 2 and 1"))
        #expect(outcome(Onnx.model([], functions: [one, one])).contains("function f::One is there twice"))
    }
}
