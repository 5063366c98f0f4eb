package import DCNGraph
internal import DCNOperators

/// Takes the maxima of a first layer's results where they are made, so that the largest tensor of a network is never
/// written.
///
///     maxPool(conv(x, w, b) {packed: planes}) → pooledConv(x, w, b)          the results read by the pooling alone
package struct FusePool: Pass {
    package static let name = "fuse-pool"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph.contains(id) {
            let node = graph[id]
            guard let output = node.outputs[0], let first = firstLayer(node, graph) else { continue }
            let label = graph.label(of: id)
            let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
                try graph.append(
                    first.op, first.node.inputs, named: first.node.name, outputNames: names(of: node, graph),
                    origin: first.node.origin)
            }
            graph.replace(output, with: result[0])
            graph.removeDead(from: id)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    /// The layer whose results a pooling reads, and the two as one operator.
    private func firstLayer(_ pool: Node, _ graph: Graph) -> (node: Node, op: PooledConv)? {
        guard let op = pool.op as? Pool, op.pooling == .maximum, !op.hasChannelsLast,
            pool.outputs.count(where: { $0 != nil }) == 1, let results = pool.inputs[0],
            graph[results].consumers.count == 1, !graph.isOutput(results),
            let producer = graph[results].producer, let convolution = graph[producer].op as? Conv
        else { return nil }
        let node = graph[producer], fused = PooledConv(convolution, op.window)
        guard fused.isSupported, node.inputs.count < 4 || node.inputs[3] == nil else { return nil }
        return (node, fused)
    }
}
