import DCNGraph
import DCNOperators
import DCNRuntime
import Synchronization
import TestSupport
import Testing

@Suite("Stopping")
struct StoppingTests {
    /// y = x + x.
    private func doubled() throws -> Graph {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["n", 3])))
        let y = try graph.append(Add(), [x, x], named: "y")[0]
        graph.addOutput(y, named: "y")
        return graph
    }

    @Test("a cancelled run stops, the next one does not")
    func cancelled() throws {
        var session = try Session(Model(graph: try doubled()))
        var numbers = Seeded(3)
        let cancellation = Cancellation()
        cancellation.cancel()
        let x = numbers.tensor([2, 3])
        #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": x], until: cancellation)
        }
        let answer: [String: Tensor] = try session.run(["x": x])
        #expect(answer["y"]?.elements(as: Float.self) == x.elements(as: Float.self).map { $0 + $0 })
    }

    @Test("a run whose time is over ends while its plan is made, the next one does not")
    func deadline() throws {
        var session = try Session(Model(graph: try doubled()))
        var numbers = Seeded(3)
        let x = numbers.tensor([2, 3])
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": x], deadline: 0)
        }
        #expect(error?.stage == .plan)
        let answer: [String: Tensor] = try session.run(["x": x])
        #expect(answer["y"]?.elements(as: Float.self) == x.elements(as: Float.self).map { $0 + $0 })
    }

    @Test("a run cancelled while a node works ends before its next tile")
    func betweenTiles() throws {
        var graph = Graph()
        let x = graph.addInput("x", .tensor(TensorType(.float32, [4])))
        graph.addOutput(try graph.append(Interrupted(), [x], named: "y")[0], named: "y")
        var session = try Session(Model(graph: graph), options: Options(threads: 1))
        let x4 = try #require(Tensor(extents: [4], [Float](repeating: 1, count: 4)))
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": x4], until: Interrupted.cancellation)
        }
        #expect("\(error as Any)".contains("the run was cancelled"))
        #expect(Interrupted.tiles.load(ordering: .relaxed) == 3)
    }
}

/// Raises a flag in the third of its hundred tiles.
private struct Interrupted: Operator {
    static let name = "Interrupted"
    static let cancellation = Cancellation()
    static let tiles = Atomic<Int>(0)

    func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { inputs.types.compactMap { $0 } }

    func execution(for call: Call) throws(Misfit) -> Execution {
        .kernel(
            TileKernel(tiles: 100) { tile, _ in
                Self.tiles.add(1, ordering: .relaxed)
                if tile == 2 { Self.cancellation.cancel() }
            })
    }
}
