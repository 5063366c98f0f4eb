import DCNGraph
import DCNOperators
import DCNPasses
import DCNRuntime
import TestSupport
import Testing

/// Builds small graphs with seeded constants.
struct Builder {
    var graph = Graph()
    private var numbers = Seeded(1)

    mutating func input(_ name: String, _ extents: [Int]) -> ValueID {
        graph.addInput(name, .tensor(TensorType(.float32, extents: extents)))
    }

    mutating func constant(_ name: String, _ extents: [Int], scale: Float = 1, plus shift: Float = 0)
        -> ValueID
    {
        let values = numbers.tensor(extents, scale: scale).elements(as: Float.self).map { $0 + shift }
        return graph.addConstant(name, .tensor(Tensor(extents: extents, values) ?? Tensor(vector: values)))
    }

    mutating func integers(_ name: String, _ values: [Int64]) -> ValueID {
        graph.addConstant(name, .tensor(Tensor(vector: values)))
    }

    mutating func node(_ op: any Operator, _ inputs: [ValueID?], _ name: String) throws -> ValueID {
        try graph.append(op, inputs, named: name)[0]
    }

    /// Mean, variance and the rest of a normalisation over some channels.
    mutating func norm(_ x: ValueID, channels: Int, _ name: String) throws -> ValueID {
        let parameters = [
            constant("scale", [channels]), constant("shift", [channels]), constant("mean", [channels]),
            constant("variance", [channels], scale: 0.4, plus: 1),
        ]
        return try node(BatchNormalization(), [x] + parameters, name)
    }
}

/// The operators of a graph, in running order.
func operators(_ graph: Graph) -> [String] { graph.nodes.map { graph[$0].op.name } }

/// The graph after a pass, every law checked, and what the pass says it did.
func after(_ pass: any Pass, _ graph: Graph) throws -> (graph: Graph, log: [Rewriting]) {
    var graph = graph
    var log: [Rewriting] = []
    try pass.run(on: &graph, log: &log)
    try graph.check()
    return (graph, log)
}

/// The graph after a pipeline, every law checked, and what its passes say they did.
func after(_ pipeline: Pipeline, _ graph: Graph) throws -> (graph: Graph, log: [Rewriting]) {
    var graph = graph
    let log = try pipeline.run(on: &graph)
    try graph.check()
    return (graph, log)
}

/// What a graph answers to seeded inputs.
func answers(_ graph: Graph, threads: Int = 1) throws -> [[Float]] {
    var numbers = Seeded(7)
    var inputs: [String: Tensor] = [:]
    for input in graph.inputs {
        inputs[graph[input].name] = numbers.tensor(graph[input].type.tensor?.extents ?? [], scale: 2)
    }
    var session = try Session(Model(graph: graph), options: Options(threads: threads))
    let results: [String: Tensor] = try session.run(inputs)
    return graph.outputNames.map { results[$0]?.elements(as: Float.self) ?? [] }
}

/// Expects two graphs to answer alike, up to rounding.
func expectSameAnswers(_ before: Graph, _ after: Graph, within bound: Float = 1e-4) throws {
    let (expected, got) = (try answers(before), try answers(after))
    #expect(expected.count == got.count)
    for (a, b) in zip(expected, got) {
        #expect(a.count == b.count && !a.isEmpty)
        #expect(zip(a, b).allSatisfy { abs($0 - $1) <= bound * (1 + abs($0)) })
    }
}
