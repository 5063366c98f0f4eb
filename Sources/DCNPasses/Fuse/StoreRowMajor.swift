package import DCNGraph
internal import DCNOperators

/// Lets a deformable convolution store its result the way its readers want it.
///
///     relayout(deformConv(…)) {row-major} → deformConv(…) {storesRowMajor}          when nobody else reads it
package struct StoreRowMajor: Rule {
    package static let name = "store-row-major"
    let y = Wire(), relayout = Hole<Relayout>()
    package init() {}

    package var pattern: Pattern { relayout(y()) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let y = match[y], let (op, node) = match[relayout], op.layout == .rowMajor,
            graph[y].consumers.count == 1, !graph.isOutput(y), let producer = graph[y].producer,
            var conv = graph[producer].op as? DeformConv, conv.packed != nil
        else { return nil }
        let old = graph[producer]
        conv.storesRowMajor = true
        return try graph.append(
            conv, old.inputs, named: old.name, outputNames: names(of: node, graph), origin: old.origin)[0]
    }
}
