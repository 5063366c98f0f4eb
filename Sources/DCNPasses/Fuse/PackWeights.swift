package import DCNGraph

/// Lets operators that read constants in a form of their own have them so.
package struct PackWeights: Pass {
    package static let name = "pack-weights"
    /// How much rounding fast forms may add.
    package let accuracy: Accuracy
    /// Bytes that packed weights may take together.
    package let byteLimit: Int

    /// A pass that allows forms up to an accuracy, and so many bytes of them.
    package init(_ accuracy: Accuracy, byteLimit: Int = .max) {
        self.accuracy = accuracy
        self.byteLimit = byteLimit
    }

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        var taken = 0
        try pack(&graph, &taken)
    }

    private func pack(_ graph: inout Graph, _ taken: inout Int) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try pack(&body, &taken) }
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
            taken += form.constants.values.reduce(0) { $0 + $1.byteCount }
            guard taken <= byteLimit else {
                throw DCNError(
                    .limit(of: "the memory of packed weights in bytes", asked: taken, limit: byteLimit),
                    .pack, at: node.origin)
            }
            try replace(id, node, by: form, in: &graph)
            for input in node.inputs { if let input { graph.releaseConstant(input) } }
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
