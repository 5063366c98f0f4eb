package import DCNGraph
internal import DCNOperators

/// Adds a bias where products are made.
///
///     add(matMul(a, b), bias) → matMul(a, b, bias)          bias a constant for each column
package struct FuseAddend: Rule {
    package static let name = "fuse-addend"
    let a = Wire(), b = Wire(), bias = Wire(), sum = Hole<Add>(), product = Hole<MatMul>()
    package init() {}

    package var pattern: Pattern { sum(product(a(), b()).usedOnce, bias.constant) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        try matMul(match, [match[a], match[b]], match[bias], match[product], match[sum]?.node, in: &graph)
    }
}

/// The same with the operands the other way round.
///
///     add(bias, matMul(a, b)) → matMul(a, b, bias)
package struct FuseAddendReversed: Rule {
    package static let name = "fuse-addend-reversed"
    let a = Wire(), b = Wire(), bias = Wire(), sum = Hole<Add>(), product = Hole<MatMul>()
    package init() {}

    package var pattern: Pattern { sum(bias.constant, product(a(), b()).usedOnce) }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        try matMul(match, [match[a], match[b]], match[bias], match[product], match[sum]?.node, in: &graph)
    }
}

private func matMul(
    _ match: Match, _ operands: [ValueID?], _ bias: ValueID?, _ product: (op: MatMul, node: Node)?,
    _ sum: Node?,
    in graph: inout Graph
) throws(DCNError) -> ValueID? {
    guard let bias, let (op, node) = product, let sum, op.activation == .none, op.addendScale == 1,
        let tensor = graph[bias].constant?.tensor, tensor.type.element == .float32, tensor.extents.count == 1,
        let output = node.outputs[0], let shape = graph[output].type.tensor?.shape, shape.rank >= 1,
        shape[shape.rank - 1].fixed == tensor.count
    else { return nil }
    return try graph.append(
        op, operands + [bias], named: node.name, outputNames: names(of: sum, graph), origin: node.origin)[0]
}
