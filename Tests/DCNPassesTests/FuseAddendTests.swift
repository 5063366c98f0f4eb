import DCNGraph
import DCNOperators
import DCNPasses
import Testing

@Suite("Fusing the bias of products")
struct FuseAddendTests {
    private func graph(bias extents: [Int], reversed: Bool) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [2, 5, 7])
        let y = try b.node(MatMul(), [x, b.constant("w", [7, 6])], "product")
        let bias = b.constant("bias", extents)
        let sum = try b.node(Add(), reversed ? [bias, y] : [y, bias], "sum")
        b.graph.addOutput(try b.node(Gelu(), [sum], "gelu"), named: "z")
        return b.graph
    }

    @Test("a bias for each column is added where products are made", arguments: [true, false])
    func fires(_ reversed: Bool) throws {
        let before = try graph(bias: [6], reversed: reversed)
        let (biased, log) = try after(Rewrite(FuseAddend()), before)
        #expect(operators(biased) == ["MatMul", "Gelu"] && log.count == 1)
        try expectSameAnswers(before, biased)
        let (activated, _) = try after(FuseActivation(), biased)
        #expect(operators(activated) == ["MatMul"])
        try expectSameAnswers(before, activated)
    }

    @Test("other shapes stay sums")
    func stays() throws {
        for extents in [[1], [5, 1], [2, 5, 6]] {
            let (graph, log) = try after(
                Rewrite(FuseAddend()), try graph(bias: extents, reversed: false))
            #expect(operators(graph) == ["MatMul", "Add", "Gelu"] && log.isEmpty)
        }
    }
}
