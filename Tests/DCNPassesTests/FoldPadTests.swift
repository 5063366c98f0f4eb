import DCNGraph
import DCNOperators
import DCNPasses
import Testing

@Suite("Folding padding")
struct FoldPadTests {
    private func padded(_ pads: [Int64], mode: Pad.Mode = .constant) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [1, 3, 4, 5])
        let y = try b.node(Pad(mode: mode), [x, b.integers("pads", pads)], "pad")
        b.graph.addOutput(try b.node(Conv(), [y, b.constant("w", [2, 3, 3, 3])], "conv"), named: "z")
        return b.graph
    }

    @Test("zeros around an image become padding")
    func fires() throws {
        let before = try padded([0, 0, 1, 0, 0, 0, 2, 1])
        let (graph, log) = try after(FoldPad(), before)
        #expect(operators(graph) == ["Conv"])
        #expect(log.map(\.rule) == ["fold-pad"])
        try expectSameAnswers(before, graph)
    }

    @Test("edges repeated, and what is taken away, stay")
    func stays() throws {
        let (edge, _) = try after(FoldPad(), try padded([0, 0, 1, 1, 0, 0, 1, 1], mode: .edge))
        #expect(operators(edge) == ["Pad", "Conv"])
        let (negative, _) = try after(FoldPad(), try padded([0, 0, -1, 0, 0, 0, 0, 0]))
        #expect(operators(negative) == ["Pad", "Conv"])
    }
}
