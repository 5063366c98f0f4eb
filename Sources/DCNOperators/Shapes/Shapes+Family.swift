internal import DCNGraph

extension Family {
    /// Extents asked for, and the same bytes under other extents.
    static let shapes = Family(
        [ShapeOf.self, Size.self, Reshape.self, Flatten.self, Squeeze.self, Unsqueeze.self],
        [
            "": [
                "Shape": { (node) throws(Misfit) in
                    guard node.version >= 15 else { return Meaning(ShapeOf()) }
                    return Meaning(
                        ShapeOf(start: try node.int("start", default: 0), end: try node.optionalInt("end")))
                },
                "Size": { (_) throws(Misfit) in Meaning(Size()) },
                "Reshape": { (node) throws(Misfit) in
                    Meaning(
                        Reshape(
                            allowZero: node.version >= 14 ? try node.bool("allowzero", default: false) : false
                        ))
                },
                "Flatten": { (node) throws(Misfit) in Meaning(Flatten(axis: try node.int("axis", default: 1)))
                },
                "Squeeze": { (node) throws(Misfit) in
                    guard node.version < 13, let axes = try node.optionalInts("axes") else {
                        return Meaning(Squeeze())
                    }
                    return Meaning(Squeeze(), order: [0], extra: [vector(axes)])
                },
                "Unsqueeze": { (node) throws(Misfit) in
                    guard node.version < 13 else { return Meaning(Unsqueeze()) }
                    guard let axes = try node.optionalInts("axes") else { throw .missing("attribute axes") }
                    return Meaning(Unsqueeze(), order: [0], extra: [vector(axes)])
                },
            ]
        ])
}
