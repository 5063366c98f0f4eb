internal import DCNGraph

extension Family {
    /// Sums of products named by letters.
    static let sums = Family(
        [Einsum.self],
        [
            "": [
                "Einsum": { (node) throws(Misfit) in
                    guard let equation = try node.optionalString("equation") else {
                        throw .missing("attribute equation")
                    }
                    return Meaning(Einsum(equation))
                }
            ]
        ])
}
