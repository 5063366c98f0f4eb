import DCNGraph
import DCNOperators
import DCNRuntime
import TestSupport
import Testing

/// Kernels write all outputs that a node lists, also those that nobody wants.
@Suite("Outputs that nobody wants")
struct UnwantedOutputTests {
    @Test("the first of two is written beside the arena", arguments: InstructionSet.available)
    func first(_ instructionSet: InstructionSet) throws {
        var graph = Graph(name: "positions")
        let x = graph.addInput("x", .tensor(TensorType(.float32, extents: [64, 40])))
        let k = graph.addConstant("k", .tensor(Tensor(vector: [Int64(40)])))
        let results = try graph.appendNode(
            TopK(axis: 1, isLargest: true, isSorted: true), [x, k], named: "top", outputs: [nil, "places"],
            origin: nil)
        graph.addOutput(try #require(results[1]), named: "places")
        var session = try Session(Model(graph: graph), options: Options(instructionSet: instructionSet))
        let answer: [String: Tensor] = try session.run(["x": counting([64, 40])])
        let places: [Int64] = (0..<64).flatMap { _ in (0..<40).map { Int64(39 - $0) } }
        #expect(answer["places"]?.elements(as: Int64.self) == places)
    }

    @Test("a node without any that is wanted is left out")
    func none() throws {
        var graph = Graph(name: "idle")
        let x = graph.addInput("x", .tensor(TensorType(.float32, extents: [1000])))
        _ = try graph.appendNode(Add(), [x, x], named: "idle", outputs: [nil], origin: nil)
        let y = try graph.append(Add(), [x, x], named: "y")[0]
        graph.addOutput(y, named: "y")
        var session = try Session(Model(graph: graph))
        let answer: [String: Tensor] = try session.run(["x": counting([1000])])
        let twice: [Float] = (0..<1000).map { Float(2 * $0) }
        #expect(answer["y"]?.elements(as: Float.self) == twice)
        #expect(session.plannedByteCount == 0)
    }
}
