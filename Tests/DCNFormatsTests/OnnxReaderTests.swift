import DCNFormats
import DCNGraph
import Testing

/// The error's text, or "read" when there is none.
func outcome(_ bytes: [UInt8], limits: ReadingLimits = .init()) -> String {
    do {
        _ = try readOnnx(bytes: bytes, named: "m.onnx", limits: limits)
        return "read"
    } catch {
        return "\(error)"
    }
}

@Suite("ONNX reader")
struct OnnxReaderTests {
    @Test("a small model comes out as it was written")
    func small() throws {
        let bytes = Onnx.model(
            [
                Onnx.node(
                    "Conv", ["x", "w", ""], ["y"], name: "head",
                    [
                        Onnx.attribute("group", type: 2, .int(3, 2)),
                        Onnx.attribute("alpha", type: 1, .float(2, 0.5)),
                        Onnx.attribute("mode", type: 3, .text(4, "linear")),
                        Onnx.attribute("pads", type: 7, .int(8, 1), .packed(8, [-2, 3])),
                        Onnx.attribute("scales", type: 6, .packed(7, [1, 2] as [Float]), .float(7, 3)),
                        Onnx.attribute("zero", type: 2),
                    ]),
                .bytes(5, Onnx.tensor("w", type: 1, [2], .packed(4, [1, 2] as [Float])).bytes),
                Onnx.value(11, "x", [.int(1, 3), .text(2, "H"), Proto(), .int(1, -1)]),
                .message(12, .text(1, "y")),
            ], opsets: [("ai.onnx", 19), ("my", 3)],
            more: [.text(2, "maker"), .message(14, .text(1, "k"), .text(2, "v"))])
        let model = try readOnnx(bytes: bytes, named: "m.onnx")
        #expect(model.irVersion == 9 && model.opsets == ["": 19, "my": 3])
        #expect(model.producer == "maker" && model.metadata == ["k": "v"])
        let node = try #require(model.graph.nodes.first)
        #expect(
            node.opType == "Conv" && node.version == 19 && node.inputs == ["x", "w", ""]
                && node.outputs == ["y"])
        #expect("\(node.origin)" == "m.onnx: graph.node[0] 'head' (Conv)")
        #expect(try node.int("group") == 2 && node.int("zero") == 0)
        #expect(try node.optionalFloat("alpha") == 0.5 && node.optionalString("mode") == "linear")
        #expect(try node.optionalInts("pads") == [1, -2, 3] && node.optionalFloats("scales") == [1, 2, 3])
        #expect(model.graph.inputs[0].type == .tensor(TensorType(.float32, [3, "H", .unknown, .unknown])))
        #expect(model.graph.outputs == [SourceValue(name: "y", type: nil)])
        #expect(model.graph.initialisers[0].tensor.aligned().elements(as: Float.self) == [1, 2])
    }

    @Test("attributes without a type, as the oldest files have them, are told by their field")
    func untyped() throws {
        let attributes = [Proto([.text(1, "i"), .int(3, 7)]), Proto([.text(1, "l"), .int(8, 7)])]
        let model = try readOnnx(bytes: Onnx.model([Onnx.node("N", attributes)]), named: "m")
        #expect(try model.graph.nodes[0].int("i") == 7 && model.graph.nodes[0].optionalInts("l") == [7])
        #expect(
            outcome(Onnx.model([Onnx.node("N", [.text(1, "i")])])).hasSuffix(
                "attribute i has type 0 and no value of it"))
    }

    @Test("a graph inside a node is read with its own path")
    func nested() throws {
        let body: Proto = .message(6, Onnx.node("Relu", ["a"], ["b"], name: "inner"))
        let model = try readOnnx(
            bytes: Onnx.model([Onnx.node("If", [Onnx.attribute("then_branch", type: 5, body)])]), named: "m")
        guard case .graph(let graph) = model.graph.nodes[0].attribute("then_branch") else {
            Issue.record("no graph")
            return
        }
        #expect(graph.nodes[0].origin.path == "graph.node[0].then_branch.node[0]")
    }

    @Test("domains without an import are version 1, the default domain must be imported")
    func imports() throws {
        let custom = Onnx.node("Foo", domain: "mmcv")
        #expect(try readOnnx(bytes: Onnx.model([custom]), named: "m").graph.nodes[0].version == 1)
        #expect(outcome(Onnx.model([Onnx.node("Relu")], opsets: [])).contains("imports no version"))
        #expect(
            outcome(Onnx.model([], opsets: [("", 9), ("ai.onnx", 10)])).contains("two versions of domain ''"))
        #expect(outcome(Onnx.model([], opsets: [("", 9), ("ai.onnx", 9)])) == "read")
    }

    @Test("names that differ only after a NUL, in their bytes or in their composition stay apart")
    func names() throws {
        let names: [[UInt8]] = [
            Array("a".utf8), [0x61, 0, 0x62], [0x61, 0, 0x63], [0xff], [0xfe], Array("\u{e9}".utf8),
            Array("e\u{301}".utf8), Array("\u{fffd}ff".utf8), Array("\u{e9}~2".utf8), [0xff],
        ]
        let nodes = names.map { Proto.message(1, .text(4, "N"), .bytes(2, $0)) }
        let outputs = try readOnnx(bytes: Onnx.model(nodes), named: "m").graph.nodes.map { $0.outputs[0] }
        #expect(Set(outputs).count == names.count - 1)
        #expect(outputs[3] == outputs[9])
        #expect(outputs[0] == "a" && outputs[1] == "a\0b" && outputs[5] == "\u{e9}")
    }

    @Test("types that are not tensors")
    func types() throws {
        let tensor: Proto = .message(1, .int(1, 7))
        let sequence: Proto = .message(12, .text(1, "s"), .message(2, .message(4, .message(1, tensor))))
        let optional: Proto = .message(12, .text(1, "o"), .message(2, .message(9, .message(1, tensor))))
        let outputs = try readOnnx(bytes: Onnx.model([sequence, optional]), named: "m").graph.outputs
        let element = ValueType.tensor(TensorType(.int64, nil))
        #expect(outputs.map(\.type) == [.sequence(element), .optional(element)])
        let map: Proto = .message(11, .text(1, "m"), .message(2, .message(5, .int(1, 7))))
        #expect(
            outcome(Onnx.model([map]))
                == "m.onnx: graph.input[0] 'm': read: a map as a value is not supported")
        let hint: Proto = .message(13, .text(1, "m"), .message(2, .message(5, .int(1, 7))))
        #expect(outcome(Onnx.model([hint])) == "read")
    }

    @Test("a file without a graph, and one with two attributes of a name")
    func broken() {
        #expect(outcome([]) == "m.onnx: read: has no graph")
        let twice = Onnx.node("N", [Onnx.attribute("a", type: 2), Onnx.attribute("a", type: 2)])
        #expect(outcome(Onnx.model([twice])).hasSuffix("attribute a is there twice"))
        let absent = Onnx.node("N", [Onnx.attribute("t", type: 4)])
        #expect(outcome(Onnx.model([absent])).hasSuffix("attribute t has type 4 and no value of it"))
    }

    @Test("every truncation and every flipped bit of a model ends in an answer or an error")
    func damage() {
        let body: Proto = .message(6, Onnx.node("Relu", ["a"], ["b"]))
        let bytes = Onnx.model(
            [
                Onnx.node("If", ["x"], ["y"], [Onnx.attribute("then_branch", type: 5, body)]),
                Onnx.node("F", ["x"], ["z"], domain: "f"),
                .bytes(5, Onnx.tensor("w", type: 1, [2], .packed(4, [1, 2] as [Float])).bytes),
                .bytes(5, Onnx.tensor("v", type: 7, [2], .packed(7, [1, -2])).bytes),
                Onnx.value(11, "x", [.int(1, 3), .text(2, "H")]),
            ],
            functions: [
                Proto(
                    .text(1, "F"), .text(10, "f"), .text(4, "a"), .text(5, "b"),
                    Onnx.node("Relu", ["a"], ["b"], field: 7))
            ])
        #expect(outcome(bytes) == "read")
        var kinds: Set<String> = []
        for count in 0..<bytes.count { kinds.insert(outcome(Array(bytes.prefix(count)))) }
        for index in bytes.indices {
            for bit in 0..<8 {
                var flipped = bytes
                flipped[index] ^= 1 << UInt8(bit)
                kinds.insert(outcome(flipped))
            }
        }
        #expect(kinds.count > 20)
    }
}
