package import DCNGraph
internal import DCNOperators

/// Recognises the swish activation.
///
///     mul(x, sigmoid(x)) → swish(x)           operands in either order
///
/// At −∞ the product is NaN, and swish 0.
package struct FuseSilu: Rule {
    package static let name = "fuse-silu"
    let x = Wire(), mul = Hole<Mul>(), sigmoid = Hole<Sigmoid>()
    package init() {}

    package var pattern: Pattern { mul.eitherWay(x(), sigmoid(x()).usedOnce) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let x = match[x], let node = match[mul]?.node, graph[x].type.tensor?.element == .float32 else {
            return nil
        }
        return try graph.append(
            Swish(alpha: 1), [x], named: node.name, outputNames: names(of: node, graph), origin: node.origin)[
                0]
    }
}
