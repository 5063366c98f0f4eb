internal import DCNGraph

extension Family {
    /// Changes of element type.
    static let casts = Family(
        [Cast.self, BitCast.self],
        [
            "": [
                "Cast": { (node) throws(Misfit) in Meaning(try cast(node, to: try target(node))) },
                "CastLike": { (node) throws(Misfit) in
                    guard let like = node.operands?.types.dropFirst().first??.tensor else {
                        throw .missing("target_type")
                    }
                    return Meaning(try cast(node, to: like.element), order: [0])
                },
                "BitCast": { (node) throws(Misfit) in Meaning(BitCast(to: try target(node))) },
            ]
        ])
}

private func target(_ node: SourceNode) throws(Misfit) -> ElementType {
    guard let to = try node.optionalElement("to") else { throw .missing("attribute to") }
    return to
}

private func cast(_ node: SourceNode, to element: ElementType) throws(Misfit) -> Cast {
    let written = try node.string("round_mode", default: "up")
    guard let rounding = ScaleRounding(rawValue: written) else {
        throw .attribute("round_mode", because: "is '\(escaped(written))', expected up, down or nearest")
    }
    return Cast(to: element, saturate: try node.bool("saturate", default: true), rounding: rounding)
}
