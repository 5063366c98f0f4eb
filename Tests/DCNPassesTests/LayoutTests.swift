import DCNGraph
import DCNOperators
import DCNPasses
import TestSupport
import Testing

@Suite("Layouts")
struct LayoutTests {
    @Test("conversions stand only at the borders of channels-last regions")
    func borders() throws {
        var b = Builder()
        let x = b.input("x", [1, 20, 6, 5])
        let y = try b.node(Conv(), [x, b.constant("w", [24, 20, 3, 3])], "first")
        let z = try b.node(Relu(), [y], "relu")
        b.graph.addOutput(try b.node(Conv(), [z, b.constant("v", [8, 24, 1, 1])], "second"), named: "z")
        let (graph, _) = try after(LayOut(.exact), b.graph)
        #expect(operators(graph) == ["Relayout", "Conv", "Relu", "Conv", "Relayout"])
        try expectSameAnswers(b.graph, graph)
    }

    @Test("half floats and truths that follow channels last come out row-major")
    func otherElements() throws {
        for element in [ElementType.float16, .bfloat16] {
            var b = Builder()
            let x = b.graph.addInput("x", .tensor(TensorType(element, extents: [1, 20, 6, 5])))
            let full = b.constant("w", [24, 20, 3, 3])
            let weights = try run(Cast(to: element), [#require(b.graph[full].constant?.tensor)])
            let y = try b.node(Conv(), [x, b.graph.addConstant("half", .tensor(weights[0]))], "conv")
            b.graph.addOutput(try b.node(Relu(), [y], "relu"), named: "y")
            var (graph, _) = try after(WidenHalf(), b.graph)
            graph = try after(LayOut(.exact), graph).graph
            #expect(graph[graph.outputs[0]].type.tensor?.element == element)
            #expect(graph[graph.outputs[0]].type.tensor?.layout == .rowMajor)
        }
        var b = Builder()
        let y = try b.node(Conv(), [b.input("x", [1, 20, 6, 5]), b.constant("w", [24, 20, 3, 3])], "conv")
        let large = try b.node(Not(), [b.node(IsNaN(), [y], "nan")], "finite")
        b.graph.addOutput(try b.node(Cast(to: .float32), [large], "number"), named: "z")
        b.graph.addOutput(large, named: "finite")
        let (graph, _) = try after(LayOut(.exact), b.graph)
        #expect(graph[graph.outputs[1]].type.tensor?.layout == .rowMajor)
    }

    @Test(
        "what follows a convolution in another type is laid out for its readers",
        arguments: [
            ElementType.float16, .bfloat16, .int32, .uint8, .float64,
        ])
    func otherTypes(_ element: ElementType) throws {
        var b = Builder()
        let x = b.input("x", [2, 20, 6, 5])
        let y = try b.node(Conv(), [x, b.constant("w", [24, 20, 3, 3])], "conv")
        let narrow = try b.node(Cast(to: element), [y], "narrow")
        // The readers of a reshape see the order of elements.
        let flat = try b.node(Reshape(), [narrow, b.integers("shape", [-1])], "flat")
        b.graph.addOutput(try b.node(Cast(to: .float32), [flat], "wide"), named: "z")
        let (graph, _) = try after(LayOut(.exact), b.graph)
        #expect(operators(graph).filter { $0 == "Relayout" }.count == 2)
        // One code of the type apart where rounding of the sums tips it.
        try expectSameAnswers(b.graph, graph, within: element.isInteger ? 1 : 0.01)
    }

    @Test("weights of half floats are widened once, and the answer is of half floats")
    func halves() throws {
        var b = Builder()
        let x = try b.node(Cast(to: .float16), [b.input("x", [1, 20, 6, 5])], "half")
        let weights = b.constant("w", [24, 20, 3, 3])
        let w = try #require(b.graph[weights].constant?.tensor)
        let half = b.graph.addConstant("v", .tensor(try run(Cast(to: .float16), [w])[0]))
        let y = try b.node(Relu(), [try b.node(Conv(), [x, half], "conv")], "relu")
        b.graph.addOutput(try b.node(Cast(to: .float32), [y], "wide"), named: "y")
        let (graph, _) = try after(Pipeline.fusing(.exact), b.graph)
        let conv = try #require(graph.nodes.first { graph[$0].op is Conv })
        #expect((graph[conv].op as? Conv)?.packed != nil)
        try expectSameAnswers(b.graph, graph, within: 2e-3)
    }

    @Test("a convolution of nothing is packed and gives nothing", arguments: [[0, 4, 8, 8], [1, 4, 0, 8]])
    func nothing(_ extents: [Int]) throws {
        var b = Builder()
        var op = Conv()
        op.window.pads = [0, 0, 0, 0]
        let y = try b.node(op, [b.input("x", extents), b.constant("w", [24, 4, 1, 1])], "conv")
        b.graph.addOutput(try b.node(Relu(), [y], "relu"), named: "y")
        let (graph, _) = try after(Pipeline.fusing(.exact), b.graph)
        let conv = try #require(graph.nodes.first { graph[$0].op is Conv })
        #expect((graph[conv].op as? Conv)?.packed != nil)
        #expect(try answers(graph).map(\.count) == [0])
    }

    @Test("a depthwise convolution does as its neighbours do, a first layer as its readers")
    func choices() throws {
        for (kind, expected) in [
            ("depthwise", ["Conv"]), ("first", ["Conv"]), ("both", ["Conv", "Conv", "Relayout"]),
        ] {
            var b = Builder()
            var y = b.input("x", [2, kind == "depthwise" ? 20 : 3, 9, 11])
            if kind != "depthwise" { y = try b.node(Conv(), [y, b.constant("w", [20, 3, 3, 3])], "first") }
            if kind != "first" {
                var depthwise = Conv()
                depthwise.groups = 20
                y = try b.node(depthwise, [y, b.constant("v", [20, 1, 3, 3])], "depthwise")
            }
            b.graph.addOutput(y, named: "y")
            let (graph, _) = try after(LayOut(.exact), b.graph)
            #expect(operators(graph) == expected, "\(kind)")
            try expectSameAnswers(b.graph, graph)
        }
    }

    @Test("a transpose to channels last and back moves nothing", arguments: [16, 10])
    func transposes(_ channels: Int) throws {
        var b = Builder()
        let x = b.input("x", [1, channels, 4, 3])
        let y = try b.node(Conv(), [x, b.constant("w", [channels, channels, 1, 1])], "conv")
        let back = try b.node(Transpose(permutation: [0, 2, 3, 1]), [y], "back")
        let scaled = try b.node(Mul(), [back, b.constant("k", [channels])], "scale")
        let front = try b.node(Transpose(permutation: [0, 3, 1, 2]), [scaled], "front")
        b.graph.addOutput(
            try b.node(Conv(), [front, b.constant("v", [3, channels, 1, 1])], "last"), named: "z")
        let (seen, _) = try after(Rewrite(RecogniseLayouts()), b.graph)
        let (graph, _) = try after(LayOut(.exact), seen)
        #expect(
            operators(graph) == [
                "Relayout", "Conv", "ChannelsToBack", "Mul", "ChannelsToFront", "Conv", "Relayout",
            ])
        try expectSameAnswers(b.graph, graph)
    }

    @Test(
        "a deformable convolution stores row-major for readers that all want that", arguments: [false, true])
    func stored(_ hasOtherReader: Bool) throws {
        var b = Builder()
        let x = b.input("x", [2, 20, 6, 5])
        let offset = b.input("offset", [2, 18, 4, 3])
        let y = try b.node(DeformConv(), [x, b.constant("w", [24, 20, 3, 3]), offset], "deform")
        b.graph.addOutput(y, named: "y")
        if hasOtherReader {
            b.graph.addOutput(try b.node(Conv(), [y, b.constant("v", [8, 24, 1, 1])], "conv"), named: "z")
        }
        let (graph, _) = try after(LayOut(.exact), b.graph)
        let expected =
            hasOtherReader
            ? ["Relayout", "DeformConv", "Conv", "Relayout", "Relayout"] : ["Relayout", "DeformConv"]
        #expect(operators(graph) == expected)
        try expectSameAnswers(b.graph, graph)
    }

    @Test("two transposes become one, or none")
    func joined() throws {
        var b = Builder()
        let x = b.input("x", [2, 3, 4])
        let y = try b.node(Transpose(permutation: [1, 2, 0]), [x], "one")
        b.graph.addOutput(try b.node(Transpose(permutation: [1, 2, 0]), [y], "two"), named: "y")
        let (graph, _) = try after(Rewrite(FuseTransposes()), b.graph)
        #expect(operators(graph) == ["Transpose"])
        try expectSameAnswers(b.graph, graph)
    }
}
