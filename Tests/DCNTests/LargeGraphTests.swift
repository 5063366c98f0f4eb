import DCN
import DCNFormats
import DCNGraph
import DCNOperators
import DCNPasses
import Foundation
import Testing

/// Who sends a model of many nodes may cost us time in proportion to its size, not to the square of it.
@Suite("Time for large graphs")
struct LargeGraphTests {
    /// Graphs of about `count` nodes that passes and planner meet in different places.
    enum Form: String, CaseIterable {
        case chain, activations, pairs, transposes, fan, identities, outputs, results, split, insertions,
            dead, unread

        func graph(_ count: Int) -> SourceGraph {
            var graph = SourceGraph(inputs: [Self.input("v0")])
            func add(_ name: String, _ inputs: [String], _ outputs: [String], _ axes: [Int]? = nil) {
                let attributes: [String: SourceAttribute] = axes.map { ["perm": .ints($0)] } ?? [:]
                graph.nodes.append(
                    SourceNode(
                        opType: name, version: 18, inputs: inputs, outputs: outputs, attributes: attributes))
            }
            let all = (1...count).map { "y\($0)" }
            switch self {
            case .chain: for i in 0..<count { add("Add", ["v\(i)", "v0"], ["v\(i + 1)"]) }
            case .activations: for i in 0..<count { add("Dropout", ["v\(i)"], ["v\(i + 1)"]) }
            case .pairs:
                for i in 0..<count {
                    add("Sigmoid", ["v\(i)"], ["s\(i)"])
                    add("Mul", ["v\(i)", "s\(i)"], ["v\(i + 1)"])
                }
            case .transposes: for i in 0..<count { add("Transpose", ["v\(i)"], ["v\(i + 1)"], [0, 2, 3, 1]) }
            case .fan:
                for y in all { add("Transpose", ["v0"], [y], [0, 2, 3, 1]) }
                add("Sum", all, ["v\(count)"])
            case .identities:
                for y in all { add("Identity", ["v0"], [y]) }
                add("Sum", all, ["v\(count)"])
                graph.outputs = all.map { SourceValue(name: $0, type: nil) }
            case .outputs:
                for y in all { add("Relu", ["v0"], [y]) }
                add("Sum", all, ["v\(count)"])
                graph.outputs = all.map { SourceValue(name: $0, type: nil) }
            case .results:
                for y in all.dropLast() { add("Relu", ["v0"], [y]) }
                add("Relu", ["v0"], ["v\(count)"])
                graph.outputs = all.dropLast().map { SourceValue(name: $0, type: nil) }
            case .split:
                graph.inputs = [
                    SourceValue(name: "v0", type: .tensor(TensorType(.float32, extents: [count])))
                ]
                add("Split", ["v0"], all)
                graph.nodes[0].attributes["num_outputs"] = .int(count)
                add("Concat", all, ["v\(count)"])
                graph.nodes[1].attributes["axis"] = .int(0)
            case .insertions:
                add("SequenceEmpty", [], ["s0"])
                for i in 0..<count { add("SequenceInsert", ["s\(i)", "v0"], ["s\(i + 1)"]) }
                add("SequenceLength", ["s\(count)"], ["v\(count)"])
            case .dead:
                for i in 0..<count { add("Relu", ["v\(i)"], ["w\(i)"]) }
                for i in 0..<count { add("Relu", ["v\(i)"], ["v\(i + 1)"]) }
            case .unread:
                for i in 0..<count { add("Unknown\(i)", ["v0"], ["u\(i)"]) }
                add("Relu", ["v0"], ["v\(count)"])
            }
            graph.outputs.append(SourceValue(name: "v\(count)", type: nil))
            return graph
        }

        private static func input(_ name: String) -> SourceValue {
            SourceValue(name: name, type: .tensor(TensorType(.float32, extents: [1, 2, 2, 2])))
        }
    }

    /// Nanoseconds of this thread from the written graph to its answer.
    private func time(_ graph: SourceGraph) throws -> Int {
        let source = SourceModel(file: "large", irVersion: 10, opsets: ["": 18], graph: graph)
        let start = threadTime()
        do throws(DCNError) {
            var graph = try map(source, dialects: Dialect.standard)
            _ = try Pipeline.canonical.run(on: &graph)
            _ = try Pipeline.fusing(.default).run(on: &graph)
            var session = try Session(Model(graph: graph))
            guard let extents = session.model.inputs[0].type.tensor?.extents else { return 0 }
            guard let x = Tensor(extents: extents, [Float](repeating: 1, count: extents.reduce(1, *))) else {
                return 0
            }
            let _: [String: Tensor] = try session.run(["v0": x])
        } catch { try #require(error.kind == .unsupported) }
        return threadTime() - start
    }

    private func threadTime() -> Int {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    #if !DEBUG
        // Debug builds check every law of the graph after each pass.
        @Test("eight times the nodes take some eight times as long", arguments: Form.allCases)
        func proportional(_ form: Form) throws {
            let few = try (0..<3).map { _ in try time(form.graph(1000)) }.min() ?? 0
            let many = try time(form.graph(8000))
            #expect(few > 0)
            #expect(many < 30 * few, "\(form): \(few) ns, then \(many) ns")
        }
    #endif
}
