import DCNGraph
import DCNOperators
import DCNPasses
import Testing

@Suite("Folding normalisations")
struct FoldBatchNormTests {
    private func conv(extraReader: Bool = false) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [1, 3, 6, 5])
        let y = try b.node(Conv(), [x, b.constant("w", [4, 3, 3, 3])], "conv")
        let z = try b.norm(y, channels: 4, "norm")
        b.graph.addOutput(z, named: "z")
        if extraReader { b.graph.addOutput(y, named: "y") }
        return b.graph
    }

    @Test("a normalisation moves into the convolution before it")
    func fires() throws {
        let before = try conv()
        let (graph, log) = try after(Rewrite(FoldBatchNorm()), before)
        #expect(operators(graph) == ["Conv"])
        #expect(log == [Rewriting(rule: "fold-batch-norm", node: "norm")])
        #expect(graph.outputNames == ["z"])
        try expectSameAnswers(before, graph)
    }

    @Test("not when somebody else reads the convolution")
    func staysForOthers() throws {
        let (graph, log) = try after(Rewrite(FoldBatchNorm()), try conv(extraReader: true))
        #expect(operators(graph) == ["Conv", "BatchNormalization"])
        #expect(log.isEmpty)
    }

    @Test("a normalisation moves into a deformable convolution")
    func firesDeformable() throws {
        var b = Builder()
        let x = b.input("x", [1, 4, 5, 5])
        let offset = b.input("offset", [1, 18, 3, 3])
        let y = try b.node(
            DeformConv(), [x, b.constant("w", [2, 4, 3, 3]), offset, b.constant("b", [2])], "dcn")
        b.graph.addOutput(try b.norm(y, channels: 2, "norm"), named: "z")
        let (graph, log) = try after(Rewrite(FoldBatchNormDeform()), b.graph)
        #expect(operators(graph) == ["DeformConv"])
        #expect(log.count == 1)
        try expectSameAnswers(b.graph, graph)
    }
}
