package import DCNGraph
internal import DCNOperators

/// Computes what can be computed before any run.
///
///     f(constants…) → constant
package struct FoldConstants: Pass {
    package static let name = "fold-constants"
    /// Results larger than this stay computed at run time, unless they are no larger than what they are made of.
    package var byteLimit = 1 << 24
    /// Bytes of all results together; what is above stays computed at run time.
    package var totalByteLimit = 256 << 20
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        var left = totalByteLimit
        try fold(&graph, &left, log: &log)
    }

    private func fold(_ graph: inout Graph, _ left: inout Int, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try fold(&body, &left, log: &log) }
        var dead: Set<NodeID> = []
        for id in graph.nodes {
            let node = graph[id]
            guard left > 0, node.op.isPure, node.bodies.isEmpty, let values = values(of: node, graph) else {
                continue
            }
            left -= values.reduce(0) { $0 + $1.heldByteCount }
            for (output, value) in zip(node.outputs, values) {
                if let output { graph.setConstant(value, of: output) }
            }
            dead.insert(id)
            log.append(Rewriting(rule: Self.name, node: graph.label(of: id)))
        }
        graph.removeAll(dead)
    }

    private func values(of node: Node, _ graph: Graph) -> [Datum]? {
        let constants = node.inputs.map { $0.flatMap { graph[$0].constant } }
        guard zip(node.inputs, constants).allSatisfy({ $0 == nil || $1 != nil }) else {
            return followed(node, graph)
        }
        let given = constants.reduce(0) { $0 + ($1?.tensor?.byteCount ?? 0) }
        guard
            let values = try? evaluate(
                node.op, constants, outputCount: node.outputs.count, instructionSet: .best,
                byteLimit: max(byteLimit, given)),
            values.count >= node.outputs.count
        else { return nil }
        return values
    }

    /// Integers that follow from shapes alone, when all are known.
    private func followed(_ node: Node, _ graph: Graph) -> [Datum]? {
        var values: [Datum] = []
        for output in node.outputs {
            guard let output, let type = graph[output].type.tensor, type.element == .int64,
                let extents = type.extents,
                let integers = graph[output].dimensions.flatMap({ Shape($0).fixed }),
                let tensor = Tensor(extents: extents, integers.map { Int64($0) })
            else { return nil }
            values.append(.tensor(tensor))
        }
        return values.isEmpty ? nil : values
    }
}
