internal import DCNGraph

extension Family {
    /// Operators of two and more operands whose shapes are broadcast.
    static let binary = Family(
        [
            Add.self, Sub.self, Mul.self, Div.self, PRelu.self, Pow.self, BitwiseAnd.self, BitwiseOr.self,
            BitwiseXor.self, And.self, Or.self, Xor.self, Equal.self, Less.self, LessOrEqual.self,
            Greater.self, GreaterOrEqual.self, Where.self, Mod.self, BitShift.self, Max.self, Min.self,
            Sum.self, Mean.self,
        ],
        [
            "": [
                "Add": { (node) throws(Misfit) in try aligned(Add(), node) },
                "Sub": { (node) throws(Misfit) in try aligned(Sub(), node) },
                "Mul": { (node) throws(Misfit) in try aligned(Mul(), node) },
                "Div": { (node) throws(Misfit) in try aligned(Div(), node) },
                "PRelu": { (node) throws(Misfit) in try aligned(PRelu(), node) },
                "Pow": { (node) throws(Misfit) in try aligned(Pow(), node) },
                "BitwiseAnd": { (_) throws(Misfit) in Meaning(BitwiseAnd()) },
                "BitwiseOr": { (_) throws(Misfit) in Meaning(BitwiseOr()) },
                "BitwiseXor": { (_) throws(Misfit) in Meaning(BitwiseXor()) },
                "And": { (node) throws(Misfit) in try aligned(And(), node) },
                "Or": { (node) throws(Misfit) in try aligned(Or(), node) },
                "Xor": { (node) throws(Misfit) in try aligned(Xor(), node) },
                "Equal": { (node) throws(Misfit) in try aligned(Equal(), node) },
                "Less": { (node) throws(Misfit) in try aligned(Less(), node) },
                "LessOrEqual": { (_) throws(Misfit) in Meaning(LessOrEqual()) },
                "Greater": { (node) throws(Misfit) in try aligned(Greater(), node) },
                "GreaterOrEqual": { (_) throws(Misfit) in Meaning(GreaterOrEqual()) },
                "Where": { (_) throws(Misfit) in Meaning(Where()) },
                "Max": { (node) throws(Misfit) in variadic(Max(), node) },
                "Min": { (node) throws(Misfit) in variadic(Min(), node) },
                "Sum": { (node) throws(Misfit) in variadic(Sum(), node) },
                "Mean": { (node) throws(Misfit) in variadic(Mean(), node) },
                "Mod": { (node) throws(Misfit) in
                    Meaning(Mod(truncates: try node.bool("fmod", default: false)))
                },
                "BitShift": { (node) throws(Misfit) in Meaning(BitShift(isLeft: try isLeft(node))) },
            ]
        ])
}

private func variadic(_ op: some VariadicMap, _ node: SourceNode) -> Meaning {
    node.inputs.count == 1 ? Meaning(Identity()) : Meaning(op)
}

private func isLeft(_ node: SourceNode) throws(Misfit) -> Bool {
    switch try node.optionalString("direction") {
    case "LEFT": return true
    case "RIGHT": return false
    case nil: throw .missing("attribute direction")
    case .some(let other):
        throw .attribute("direction", because: "is '\(escaped(other))', expected LEFT or RIGHT")
    }
}

/// Before version 7 the second operand is laid along `axis` of the first, and only where `broadcast` says so; the slope
/// of PRelu along the channels. Where that is not along the last axes, the operand must be known to be moved there.
private func aligned(_ op: any Operator, _ node: SourceNode) throws(Misfit) -> Meaning {
    guard node.version < 7 else { return Meaning(op) }
    node.ignore("broadcast", "consumed_inputs")
    let written = try node.optionalInt("axis") ?? (op is PRelu ? 1 : nil)
    guard let axis = written, let types = node.operands?.types, types.count == 2,
        let a = types[0]?.tensor?.shape, let b = types[1]?.tensor?.shape
    else { return Meaning(op) }
    let own = b.rank == 1 && b[0] == 1 ? 0 : b.rank
    let place = try resolvedAxis(axis, rank: max(1, a.rank))
    guard own > 0, place + own < a.rank else { return Meaning(op) }
    let trailing = Array(repeating: 1, count: a.rank - place - own)
    guard let constant = node.operands?.constants[1]?.tensor,
        let moved = constant.reshaped(to: constant.extents + trailing)
    else { throw .unsupported("broadcasting a computed operand along axis \(axis)") }
    return Meaning(op, order: [0], extra: [moved])
}
