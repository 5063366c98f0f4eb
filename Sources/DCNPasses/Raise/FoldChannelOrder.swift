package import DCNGraph
internal import DCNOperators

/// Lets a convolution write its channels in the order in which they are read.
///
///     gather(conv(x, w, b), order) {axis 1} → conv(x, w[order], b[order])
///     gather(slice(conv(x, w, b)), order)   → slice(conv(x, w', b'))     where others read other channels only
package struct FoldChannelOrder: Pass {
    package static let name = "fold-channel-order"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        for id in graph.nodes where graph.contains(id) {
            let node = graph[id]
            guard let gather = node.op as? Gather, gather.axis == 1, let read = node.inputs[0],
                let output = node.outputs[0],
                let order = node.inputs[1].flatMap({ graph[$0].constant?.tensor?.integers }),
                graph[read].consumers.count == 1, !graph.isOutput(read), let rows = rows(read, order, graph)
            else { continue }
            guard try rewrite(rows.source, rows.order, &graph) else { continue }
            let label = graph.label(of: id)
            graph.replace(output, with: read)
            graph.remove(id)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    /// The convolution's result behind a value, and the order of all its channels that gives the value another order.
    private func rows(_ value: ValueID, _ order: [Int], _ graph: Graph) -> (source: ValueID, order: [Int])? {
        let slice = ChannelSlice(value, graph)
        let source = slice?.source ?? value
        guard let count = graph.floatExtents(source).flatMap({ $0.count > 1 ? $0[1] : nil }) else {
            return nil
        }
        let range = slice?.range ?? 0..<count
        guard order.sorted() == Array(0..<range.count), !graph.isOutput(source) else { return nil }
        for reader in Set(graph[source].consumers) {
            for output in graph[reader].outputs.compactMap({ $0 }) where output != value && slice != nil {
                guard let other = ChannelSlice(output, graph), other.source == source,
                    !other.range.overlaps(range)
                else {
                    return nil
                }
            }
        }
        return (
            source,
            Array(0..<range.lowerBound) + order.map { range.lowerBound + $0 }
                + Array(range.upperBound..<count)
        )
    }

    private func rewrite(_ source: ValueID, _ order: [Int], _ graph: inout Graph) throws(DCNError) -> Bool {
        guard let id = graph[source].producer, let op = graph[id].op as? Conv, op.groups == 1,
            op.activation == .none,
            graph[id].inputs.count <= 3
        else { return false }
        let node = graph[id]
        var inputs = node.inputs
        for index in 1..<inputs.count {
            guard let input = inputs[index] else { continue }
            guard let constant = graph[input].constant,
                let rows = evaluated(
                    Gather(axis: 0), [constant, .tensor(Tensor(vector: order.map { Int64($0) }))])?.first
            else { return false }
            inputs[index] = graph.addConstant(graph[input].name, .tensor(rows))
        }
        let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
            try graph.append(
                op, inputs, named: node.name, outputNames: names(of: node, graph), origin: node.origin)
        }
        graph.replace(source, with: result[0])
        graph.remove(id)
        return true
    }
}
