package import DCNGraph

/// Takes out nodes whose results nobody reads, and forgets constants that nobody reads.
package struct DropDead: Pass {
    package static let name = "drop-dead"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        var dead: Set<NodeID> = []
        var isRead = Set(graph.outputs)
        for node in graph.nodes.reversed() {
            let lives = graph[node].outputs.contains { $0.map(isRead.contains) ?? false }
            if lives { isRead.formUnion(graph[node].inputs.compactMap { $0 }) } else { dead.insert(node) }
        }
        graph.removeAll(dead)
        graph.releaseUnreadConstants()
    }
}
