package import DCNGraph
internal import DCNOperators

/// Recognises transposes that only say how bytes are to lie.
///
///     transpose(x) {0, 2, 3, 1} → channelsToBack(x)          transpose(x) {0, 3, 1, 2} → channelsToFront(x)
package struct RecogniseLayouts: Rule {
    package static let name = "recognise-layouts"
    let x = Wire(), transpose = Hole<Transpose>()
    package init() {}

    package var pattern: Pattern { transpose(x()) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let x = match[x], let (op, node) = match[transpose], let axes = op.permutation, axes.count == 4,
            graph[x].type.tensor?.element == .float32, graph[x].constant == nil
        else { return nil }
        let layout: any Operator
        switch axes {
        case [0, 2, 3, 1]: layout = ChannelsToBack()
        case [0, 3, 1, 2]: layout = ChannelsToFront()
        default: return nil
        }
        return try graph.append(
            layout, [x], named: node.name, outputNames: names(of: node, graph), origin: node.origin)[0]
    }
}

/// Joins two transposes.
///
///     transpose(transpose(x) {a}) {b} → transpose(x) {a then b}
package struct FuseTransposes: Rule {
    package static let name = "fuse-transposes"
    let x = Wire(), first = Hole<Transpose>(), second = Hole<Transpose>()
    package init() {}

    package var pattern: Pattern { second(first(x()).shared) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let x = match[x], let rank = graph[x].type.tensor?.shape?.rank, let (a, _) = match[first],
            let (b, node) = match[second], let inner = try? a.axes(rank: rank),
            let outer = try? b.axes(rank: rank)
        else { return nil }
        let axes = outer.map { inner[$0] }
        if axes == Array(0..<rank) { return x }
        return try graph.append(
            Transpose(permutation: axes), [x], named: node.name, outputNames: names(of: node, graph),
            origin: node.origin)[0]
    }
}
