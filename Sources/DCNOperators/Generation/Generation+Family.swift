internal import DCNGraph

extension Family {
    /// Tensors made from little: constants, ranges, random numbers.
    static let generation = Family(
        [
            RangeOperator.self, ConstantOfShape.self, EyeLike.self, RandomTensor.self, Bernoulli.self,
            Multinomial.self,
        ],
        [
            "": [
                "Range": { (node) throws(Misfit) in
                    node.ignore("stash_type")
                    return Meaning(RangeOperator())
                },
                "ConstantOfShape": { (node) throws(Misfit) in Meaning(try constantOfShape(node)) },
                "EyeLike": { (node) throws(Misfit) in
                    Meaning(
                        EyeLike(
                            element: try node.optionalElement("dtype"),
                            diagonal: try node.int("k", default: 0)))
                },
                "RandomNormal": { (node) throws(Misfit) in Meaning(try random(node, try normal(node))) },
                "RandomUniform": { (node) throws(Misfit) in Meaning(try random(node, try uniform(node))) },
                "RandomNormalLike": { (node) throws(Misfit) in Meaning(try randomLike(node, try normal(node)))
                },
                "RandomUniformLike": { (node) throws(Misfit) in
                    Meaning(try randomLike(node, try uniform(node)))
                },
                "Bernoulli": { (node) throws(Misfit) in
                    Meaning(Bernoulli(element: try node.optionalElement("dtype"), seed: try seed(node)))
                },
                "Multinomial": { (node) throws(Misfit) in
                    Meaning(
                        Multinomial(
                            element: try node.optionalElement("dtype") ?? .int32,
                            count: try node.int("sample_size", default: 1), seed: try seed(node)))
                },
            ]
        ])
}

private func seed(_ node: SourceNode) throws(Misfit) -> Int? {
    try node.optionalFloat("seed").map { clampedInteger(Double($0)) }
}

private func normal(_ node: SourceNode) throws(Misfit) -> RandomTensor.Distribution {
    .normal(mean: try node.float("mean", default: 0), deviation: try node.float("scale", default: 1))
}

private func uniform(_ node: SourceNode) throws(Misfit) -> RandomTensor.Distribution {
    .uniform(low: try node.float("low", default: 0), high: try node.float("high", default: 1))
}

private func random(
    _ node: SourceNode, _ distribution: RandomTensor.Distribution
) throws(Misfit) -> RandomTensor {
    guard let extents = try node.optionalInts("shape") else { throw .missing("attribute shape") }
    return RandomTensor(
        distribution, extents: extents, element: try node.optionalElement("dtype") ?? .float32,
        seed: try seed(node))
}

private func randomLike(
    _ node: SourceNode, _ distribution: RandomTensor.Distribution
) throws(Misfit) -> RandomTensor {
    RandomTensor(distribution, extents: nil, element: try node.optionalElement("dtype"), seed: try seed(node))
}

private func constantOfShape(_ node: SourceNode) throws(Misfit) -> ConstantOfShape {
    guard let value = try node.optionalTensor("value") else {
        return ConstantOfShape(element: .float32, bits: 0)
    }
    guard value.count == 1 else {
        throw .attribute("value", because: "has \(value.count) elements, expected one")
    }
    let bits = value.withBytes { bytes in
        bytes.prefix(8).enumerated().reduce(UInt64(0)) { $0 | UInt64($1.element) << UInt64($1.offset * 8) }
    }
    let width = UInt64(value.type.element.bitWidth)
    let isWide = width >= 64
    return ConstantOfShape(element: value.type.element, bits: isWide ? bits : bits & (1 << width - 1))
}
