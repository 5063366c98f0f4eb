package import DCNGraph
internal import DCNOperators

/// Adds a bias where products are made.
///
///     add(matMul(a, b), bias) → matMul(a, b, bias)          bias a constant for each column, operands in either order
package struct FuseAddend: Rule {
    package static let name = "fuse-addend"
    let a = Wire(), b = Wire(), bias = Wire(), sum = Hole<Add>(), product = Hole<MatMul>()
    package init() {}

    package var pattern: Pattern { sum.eitherWay(product(a(), b()).usedOnce, bias.constant) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let bias = match[bias], let (op, node) = match[product], let sum = match[sum]?.node,
            op.activation == .none, op.addendScale == 1, let tensor = graph[bias].constant?.tensor,
            tensor.type.element == .float32, tensor.extents.count == 1,
            let output = node.outputs[0], let shape = graph[output].type.tensor?.shape, shape.rank >= 1,
            shape[shape.rank - 1].fixed == tensor.count
        else { return nil }
        return try graph.append(
            op, [match[a], match[b], bias], named: node.name, outputNames: names(of: sum, graph),
            origin: node.origin)[0]
    }
}
