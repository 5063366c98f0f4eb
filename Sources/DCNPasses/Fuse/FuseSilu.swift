package import DCNGraph
internal import DCNOperators

/// Recognises the swish activation.
///
///     mul(x, sigmoid(x)) → swish(x)
package struct FuseSilu: Rule {
    package static let name = "fuse-silu"
    let x = Wire(), mul = Hole<Mul>(), sigmoid = Hole<Sigmoid>()
    package init() {}

    package var pattern: Pattern { mul(x(), sigmoid(x()).usedOnce) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        try swish(match, match[x], match[mul]?.node, in: &graph)
    }
}

/// The same with the operands the other way round.
///
///     mul(sigmoid(x), x) → swish(x)
package struct FuseSiluReversed: Rule {
    package static let name = "fuse-silu-reversed"
    let x = Wire(), mul = Hole<Mul>(), sigmoid = Hole<Sigmoid>()
    package init() {}

    package var pattern: Pattern { mul(sigmoid(x()).usedOnce, x()) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        try swish(match, match[x], match[mul]?.node, in: &graph)
    }
}

private func swish(_ match: Match, _ x: ValueID?, _ node: Node?, in graph: inout Graph) throws(DCNError)
    -> ValueID?
{
    guard let x, let node, graph[x].type.tensor?.element == .float32 else { return nil }
    return try graph.append(
        Swish(alpha: 1), [x], named: node.name, outputNames: names(of: node, graph), origin: node.origin)[0]
}
