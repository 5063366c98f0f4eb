import DCNGraph
import DCNOperators
import DCNPasses
import Testing

@Suite("Reading offsets in place")
struct FuseOffsetsTests {
    /// Offsets and mask written as slices of one value, the mask through a sigmoid unless said otherwise.
    private func slices(from: Int64 = 0, sigmoid: Bool = true) throws -> Graph {
        var b = Builder()
        let x = b.input("x", [1, 4, 5, 5])
        let s = b.input("s", [1, 27, 5, 5])
        func slice(_ start: Int64, _ end: Int64, _ name: String) throws -> ValueID {
            let operands = [b.integers("start", [start]), b.integers("end", [end]), b.integers("axis", [1])]
            return try b.node(Slice(), [s] + operands, name)
        }
        let offset = try slice(from, from + 18, "offset")
        var mask = try slice(18, 27, "logits")
        if sigmoid { mask = try b.node(Sigmoid(), [mask], "mask") }
        b.graph.addOutput(
            try b.node(dcn, [x, b.constant("w", [2, 4, 3, 3]), offset, nil, mask], "dcn"), named: "y")
        return b.graph
    }

    private var dcn: DeformConv {
        var op = DeformConv()
        op.window.pads = [1, 1, 1, 1]
        return op
    }

    @Test("slices of one value are read where they lie", arguments: [true, false])
    func fires(_ sigmoid: Bool) throws {
        let before = try slices(sigmoid: sigmoid)
        let (graph, log) = try after(FuseOffsets(), before)
        #expect(operators(graph) == ["DeformConv"])
        #expect(log.map(\.rule) == ["fuse-offsets"])
        try expectSameAnswers(before, graph)
    }

    @Test("channels in another order stay slices, though the sigmoid is taken in")
    func stays() throws {
        let before = try slices(from: 9)
        let (graph, _) = try after(FuseOffsets(), before)
        #expect(operators(graph) == ["Slice", "Slice", "DeformConv"])
        try expectSameAnswers(before, graph)
    }

    @Test("thirds of a split, two of them joined again, are read where they lie")
    func split() throws {
        var b = Builder()
        let x = b.input("x", [1, 4, 5, 5])
        let s = b.input("s", [1, 27, 5, 5])
        let thirds = try b.graph.append(Split(axis: 1), [s], named: "split", outputNames: ["a", "b", "c"])
        let offset = try b.node(Concat(axis: 1), [thirds[0], thirds[1]], "offset")
        let mask = try b.node(Sigmoid(), [thirds[2]], "mask")
        b.graph.addOutput(
            try b.node(dcn, [x, b.constant("w", [2, 4, 3, 3]), offset, nil, mask], "dcn"), named: "y")
        let (graph, _) = try after(FuseOffsets(), b.graph)
        #expect(operators(graph) == ["DeformConv"])
        try expectSameAnswers(b.graph, graph)
    }
}
