package import DCNGraph
internal import DCNOperators

/// Takes out nodes that give what they take.
///
///     identity(x) → x          also dropout without mask, a cast to the same type, a transpose that moves nothing
package struct DropIdentity: Pass {
    package static let name = "drop-identity"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        var dead: Set<NodeID> = []
        for id in graph.nodes where isIdentity(graph[id], graph) {
            guard let input = graph[id].inputs[0], let output = graph[id].outputs[0] else { continue }
            log.append(Rewriting(rule: Self.name, node: graph.label(of: id)))
            graph.replace(output, with: input)
            dead.insert(id)
        }
        graph.removeAll(dead)
    }

    private func isIdentity(_ node: Node, _ graph: Graph) -> Bool {
        guard node.outputs.count(where: { $0 != nil }) == 1, let input = node.inputs.first.flatMap({ $0 }),
            let output = node.outputs.first.flatMap({ $0 })
        else { return false }
        switch node.op {
        case is Identity: return true
        case is Dropout: return node.inputs.count < 3 || isFalse(node.inputs[2], graph)
        case let op where op.name == "Cast":
            return graph[input].type.tensor?.element == graph[output].type.tensor?.element
        case let op as Transpose: return op.permutation.map { $0 == Array($0.indices) } ?? false
        default: return false
        }
    }

    private func isFalse(_ value: ValueID?, _ graph: Graph) -> Bool {
        guard let value else { return true }
        return graph[value].constant?.tensor?.integers == [0]
    }
}
