import DCNGraph
import DCNOperators
import DCNRuntime
import TestSupport
import Testing

/// What one value may be said to be is bounded, and the bounds can be lowered.
@Suite("Limits of values")
struct ValueLimitTests {
    private func limits(_ change: (inout ValueLimits) -> Void) -> ValueLimits {
        var limits = ValueLimits()
        change(&limits)
        return limits
    }

    @Test("limits are lowered, not raised")
    func lowered() {
        let high = limits {
            $0.rank = 1000
            $0.elementCount = Int.max
            $0.nesting = 1000
        }
        #expect(high == ValueLimits())
        let low = limits {
            $0.rank = -1
            $0.elementCount = -1
            $0.nesting = -1
        }
        #expect(low.rank == 0 && low.elementCount == 0 && low.nesting == 1)
    }

    @Test("a node that exceeds one is refused as it is added, with number and limit")
    func added() throws {
        var graph = Graph(limits: limits { $0.elementCount = 100 })
        let x = graph.addInput("x", .tensor(TensorType(.float32, extents: [60])))
        let error = #expect(throws: DCNError.self) { try graph.append(Concat(axis: 0), [x, x], named: "y") }
        #expect(error?.kind == .model)
        #expect(error.map { "\($0)".contains("output 0 is 120, the limit is 100") } == true)
    }

    @Test("what exceeds one only for the inputs at hand is refused in the run")
    func planned() throws {
        var graph = Graph(limits: limits { $0.elementCount = 100 })
        let x = graph.addInput("x", .tensor(TensorType(.float32, ["n"])))
        graph.addOutput(try graph.append(Concat(axis: 0), [x, x], named: "y")[0])
        var session = try Session(Model(graph: graph))
        let answer: [String: Tensor] = try session.run(["x": counting([50])])
        #expect(answer["y"]?.extents == [100])
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(["x": counting([51])])
        }
        #expect(error.map { "\($0)".contains("is 102, the limit is 100") } == true)
    }

    @Test("what exceeds one by its data is refused when it is there")
    func computed() throws {
        var graph = Graph(limits: limits { $0.rank = 3 })
        let x = graph.addInput("x", .tensor(TensorType(.float32, extents: [1])))
        let shape = graph.addInput("shape", .tensor(TensorType(.int64, [.unknown])))
        graph.addOutput(try graph.append(Reshape(), [x, shape], named: "y")[0])
        var session = try Session(Model(graph: graph))
        let one = counting([1])
        let answer: [String: Tensor] = try session.run(
            ["x": one, "shape": Tensor(vector: [Int64(1), 1, 1])])
        #expect(answer["y"]?.extents == [1, 1, 1])
        let error = #expect(throws: DCNError.self) {
            let _: [String: Tensor] = try session.run(
                ["x": one, "shape": Tensor(vector: [Int64(1), 1, 1, 1])])
        }
        #expect(error.map { "\($0)".contains("is 4, the limit is 3") } == true)
    }
}
