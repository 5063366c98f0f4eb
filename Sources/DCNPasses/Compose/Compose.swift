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
    ///
    /// Half floats are widened on the way in, and results rounded once on the way out, as where the operator runs itself.
    mutating func replace(_ id: NodeID, by op: any Lowerable) throws(DCNError) -> Bool {
        let node = self[id], known = valueCount
        let results = try inserting(before: id) { (graph) throws(DCNError) -> [Term]? in
            let sketch = Sketch(graph, for: node)
            var inputs: [Term?] = []
            for input in node.inputs {
                inputs.append(try input.map { (value) throws(DCNError) in try sketch.term(value).widened })
            }
            var results = try op.lowered(inputs, outputs: node.outputs.count, in: sketch)
            for (index, output) in node.outputs.enumerated() where index < results?.count ?? 0 {
                guard let half = output.flatMap({ graph[$0].type.tensor?.element }), half.isHalf else {
                    continue
                }
                if let result = results?[index] { results?[index] = try result.cast(half) }
            }
            if results != nil { graph = sketch.graph }
            return results
        }
        guard let results else { return false }
        for (output, result) in zip(node.outputs, results) {
            guard let output else { continue }
            if result.id.index >= known { setName(self[output].name, of: result.id) }
            replace(output, with: result.id)
        }
        removeDead(from: id)
        return true
    }
}

extension Term {
    /// Half floats as float32, anything else as it is.
    fileprivate var widened: Term { get throws(DCNError) { element.isHalf ? try cast(.float32) : self } }
}
