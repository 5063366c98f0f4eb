package import DCNGraph
internal import DCNOperators

/// Puts the operators that a composite is made of in its place.
package struct Compose: Pass {
    package static let name = "compose"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph[id].op is any Composite {
            guard let op = graph[id].op as? any Composite & Lowerable else { continue }
            let label = graph.label(of: id)
            if try graph.replace(id, by: op) { log.append(Rewriting(rule: Self.name, node: label)) }
        }
    }
}

extension Graph {
    /// Puts what an operator says of itself in the place of its node; false where it stays.
    mutating func replace(_ id: NodeID, by op: any Lowerable) throws(DCNError) -> Bool {
        let node = self[id]
        let results = try inserting(before: id) { (graph) throws(DCNError) -> [Term]? in
            let sketch = Sketch(graph, for: node)
            let inputs = node.inputs.map { $0.map(sketch.term) }
            let results = try op.lowered(inputs, outputs: node.outputs.count, in: sketch)
            if results != nil { graph = sketch.graph }
            return results
        }
        guard let results else { return false }
        for (output, result) in zip(node.outputs, results) {
            if let output { replace(output, with: result.id) }
        }
        removeDead(from: id)
        return true
    }
}
