package import DCNGraph

/// Lets operators that read constants in a form of their own have them so.
package struct PackWeights: Pass {
    package static let name = "pack-weights"
    /// How much rounding fast forms may add.
    package let accuracy: Accuracy

    /// A pass that allows forms up to an accuracy.
    package init(_ accuracy: Accuracy) { self.accuracy = accuracy }

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        let delicate = nodesFeedingOffsets(graph)
        for id in graph.nodes {
            let node = graph[id]
            guard let op = node.op as? any Packable else { continue }
            let operands = graph.operands(of: node.inputs, bodies: [], outputCount: node.outputs.count)
            let choices = PackingChoices(accuracy: accuracy, feedsOffsets: delicate.contains(id))
            let form: PackedForm?
            do throws(Misfit) { form = try op.packed(for: operands, choices: choices) } catch {
                throw DCNError(error, .pack, at: node.origin)
            }
            guard let form else { continue }
            try replace(id, node, by: form, in: &graph)
            graph.releaseUnreadConstants()
        }
    }

    private func replace(_ id: NodeID, _ node: Node, by form: PackedForm, in graph: inout Graph)
        throws(DCNError)
    {
        var inputs = node.inputs
        for (index, constant) in form.constants {
            let name = inputs[index].map { graph[$0].name } ?? graph.label(of: id)
            inputs[index] = graph.addConstant(name, .tensor(constant))
        }
        let names = node.outputs.map { $0.map { graph[$0].name } }
        let results = try graph.inserting(before: id) { (graph) throws(DCNError) in
            try graph.appendNode(form.op, inputs, named: node.name, outputs: names, origin: node.origin)
        }
        for (old, new) in zip(node.outputs, results) { if let old, let new { graph.replace(old, with: new) } }
        graph.remove(id)
    }

    /// Nodes whose results reach the offsets of a deformable operator through anything but another such operator.
    private func nodesFeedingOffsets(_ graph: Graph) -> Set<NodeID> {
        var waiting: [ValueID] = []
        for id in graph.nodes {
            guard let op = graph[id].op as? any OffsetReading else { continue }
            waiting += op.offsetInputs.compactMap { $0 < graph[id].inputs.count ? graph[id].inputs[$0] : nil }
        }
        var found: Set<NodeID> = []
        while let value = waiting.popLast() {
            guard let producer = graph[value].producer, found.insert(producer).inserted else { continue }
            guard !(graph[producer].op is any Packable) else { continue }
            waiting += graph[producer].inputs.compactMap { $0 }
        }
        return found
    }
}
