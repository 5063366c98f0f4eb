internal import DCNFormats
package import DCNGraph
internal import DCNRuntime

/// What a graph holds, counted.
package struct GraphSummary: Sendable {
    /// Nodes by operator, most frequent first, those in bodies too.
    package let operators: [(name: String, count: Int)]
    /// How many nodes there are.
    package let nodeCount: Int
    /// Elements of floating-point constants that somebody reads; shared ones count once.
    package let parameterCount: Int
    /// Bytes of all constants that somebody reads.
    package let constantByteCount: Int
    /// Multiply-adds of one run, bodies apart; nil where shapes are not known well enough.
    package let multiplyAdds: Int?
    /// Memory that a run on one thread plans for; nil likewise.
    package let plannedByteCount: Int?
    /// Whether the last two cover all nodes, and not only those up to where shapes depend on data.
    package let isComplete: Bool

    /// Counts a graph. Symbols and unknown extents of inputs count as 1.
    package init(_ graph: Graph) {
        var counts: [String: Int] = [:]
        var seen: Set<UnsafeRawPointer> = []
        var (parameters, bytes) = (0, 0)
        func count(_ graph: Graph) {
            for id in graph.nodes {
                counts[graph[id].op.name, default: 0] += 1
                graph[id].bodies.forEach(count)
            }
            for value in Set(graph.nodes.flatMap { graph[$0].inputs.compactMap { $0 } } + graph.outputs) {
                guard let tensor = graph[value].constant?.tensor, tensor.count > 0,
                    seen.insert(tensor.base).inserted
                else { continue }
                if tensor.type.element.isFloat { parameters += tensor.count }
                bytes += tensor.byteCount
            }
        }
        count(graph)
        operators = counts.map { (name: $0.key, count: $0.value) }.sorted {
            ($1.count, $0.name) < ($0.count, $1.name)
        }
        nodeCount = counts.values.reduce(0, +)
        (parameterCount, constantByteCount) = (parameters, bytes)
        // A shape that fits no plan (a symbol that can't be 1) says nothing about the model.
        let estimate = try? Model(graph: graph).estimate()
        multiplyAdds = estimate?.multiplyAdds
        plannedByteCount = estimate?.byteCount
        isComplete = estimate?.isComplete ?? false
    }
}
