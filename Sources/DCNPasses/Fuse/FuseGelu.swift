package import DCNGraph
internal import DCNOperators

/// Recognises the Gelu activation, whichever way its product is written.
///
///     x · (1 + erf(x / √2)) · ½ → gelu(x)
///
/// At −∞ the product is NaN, and gelu 0.
package struct FuseGelu: Rule {
    package static let name = "fuse-gelu"
    let product = Hole<Mul>()
    package init() {}

    package var pattern: Pattern { product.any }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let node = match[product]?.node, let output = node.outputs[0] else { return nil }
        for factors in products(of: node, graph) {
            guard let x = argument(of: factors, graph), let type = graph[x].type.tensor,
                type.element == .float32, type.shape != nil, graph[output].type.tensor?.shape == type.shape
            else { continue }
            return try graph.append(
                Gelu(), [x], named: node.name, outputNames: names(of: node, graph), origin: node.origin)[0]
        }
        return nil
    }

    /// The node as a product of three factors, one operand being a product itself.
    private func products(of node: Node, _ graph: Graph) -> [[ValueID]] {
        [0, 1].compactMap { side in
            guard let inner = node.inputs[side], let other = node.inputs[1 - side],
                let factor = only(Mul.self, inner, graph), let first = factor.inputs[0],
                let second = factor.inputs[1]
            else { return nil }
            return [first, second, other]
        }
    }

    /// x, when the factors are x, ½ and 1 + erf(x / √2).
    private func argument(of factors: [ValueID], _ graph: Graph) -> ValueID? {
        for (half, gate, x) in [(0, 1, 2), (0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)]
        where isNumber(factors[half], 0.5, graph) {
            guard let sum = only(Add.self, factors[gate], graph),
                let erf = operand(of: sum, beside: 1, graph), let function = only(Erf.self, erf, graph),
                let scaled = function.inputs[0], root(scaled, graph) == factors[x]
            else { continue }
            return factors[x]
        }
        return nil
    }

    /// What `value` is divided by √2.
    private func root(_ value: ValueID, _ graph: Graph) -> ValueID? {
        if let quotient = only(Div.self, value, graph), let divisor = quotient.inputs[1],
            isNumber(divisor, Float(2).squareRoot(), graph)
        {
            return quotient.inputs[0]
        }
        return only(Mul.self, value, graph).flatMap {
            operand(of: $0, beside: Float(0.5).squareRoot(), graph)
        }
    }

    /// The other operand of a node one of whose operands is a number.
    private func operand(of node: Node, beside number: Float, _ graph: Graph) -> ValueID? {
        for side in [0, 1] {
            guard let constant = node.inputs[side], let other = node.inputs[1 - side],
                isNumber(constant, number, graph)
            else { continue }
            return other
        }
        return nil
    }

    /// The node that writes `value` for a single reader, if it is of this type.
    private func only<Op: Operator>(_ type: Op.Type, _ value: ValueID, _ graph: Graph) -> Node? {
        guard let producer = graph[value].producer, graph[producer].op is Op,
            graph[value].consumers.count == 1, !graph.isOutput(value)
        else { return nil }
        return graph[producer]
    }

    /// Whether a value is one number, up to the rounding of constants.
    private func isNumber(_ value: ValueID, _ number: Float, _ graph: Graph) -> Bool {
        guard let tensor = graph[value].constant?.tensor?.aligned(), tensor.type.element == .float32,
            tensor.count == 1, let found = tensor.elements(as: Float.self).first
        else { return false }
        return abs(found - number) <= number * 1e-6
    }
}
