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
                "Add": { (_) throws(Misfit) in Meaning(Add()) },
                "Sub": { (_) throws(Misfit) in Meaning(Sub()) },
                "Mul": { (_) throws(Misfit) in Meaning(Mul()) },
                "Div": { (_) throws(Misfit) in Meaning(Div()) },
                "PRelu": { (_) throws(Misfit) in Meaning(PRelu()) },
                "Pow": { (_) throws(Misfit) in Meaning(Pow()) },
                "BitwiseAnd": { (_) throws(Misfit) in Meaning(BitwiseAnd()) },
                "BitwiseOr": { (_) throws(Misfit) in Meaning(BitwiseOr()) },
                "BitwiseXor": { (_) throws(Misfit) in Meaning(BitwiseXor()) },
                "And": { (_) throws(Misfit) in Meaning(And()) },
                "Or": { (_) throws(Misfit) in Meaning(Or()) },
                "Xor": { (_) throws(Misfit) in Meaning(Xor()) },
                "Equal": { (_) throws(Misfit) in Meaning(Equal()) },
                "Less": { (_) throws(Misfit) in Meaning(Less()) },
                "LessOrEqual": { (_) throws(Misfit) in Meaning(LessOrEqual()) },
                "Greater": { (_) throws(Misfit) in Meaning(Greater()) },
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
