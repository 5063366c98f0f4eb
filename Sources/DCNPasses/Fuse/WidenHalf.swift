package import DCNGraph
internal import DCNOperators

/// Lets operators with packed weights compute half floats in float32, their weights widened once.
///
///     conv(x, w, b) → cast(conv(cast(x), cast(w), cast(b)))          x of 16 bits, weights constants
package struct WidenHalf: Pass {
    package static let name = "widen-half"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph[id].op is any Packable {
            let node = graph[id]
            guard let output = node.outputs.first.flatMap({ $0 }), node.outputs.count == 1,
                let half = graph[output].type.tensor?.element, half.isHalf
            else { continue }
            let label = graph.label(of: id)
            let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
                try widened(node, to: half, in: &graph)
            }
            graph.replace(output, with: result)
            graph.remove(id)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    private func widened(_ node: Node, to half: ElementType, in graph: inout Graph) throws(DCNError)
        -> ValueID
    {
        var inputs: [ValueID?] = []
        for input in node.inputs {
            inputs.append(try input.map { (value) throws(DCNError) in try wide(value, in: &graph) })
        }
        let result = try graph.append(node.op, inputs, named: node.name, origin: node.origin)[0]
        return try graph.append(
            Cast(to: half), [result], named: node.name, outputNames: names(of: node, graph),
            origin: node.origin)[0]
    }

    private func wide(_ value: ValueID, in graph: inout Graph) throws(DCNError) -> ValueID {
        guard graph[value].type.tensor?.element.isHalf == true else { return value }
        let name = graph[value].name
        if let constant = graph[value].constant,
            let values = try? evaluate(
                Cast(to: .float32), [constant], outputCount: 1, instructionSet: .best, byteLimit: Int.max)
        {
            return graph.addConstant(name, values[0])
        }
        return try graph.append(Cast(to: .float32), [value], named: name)[0]
    }
}
