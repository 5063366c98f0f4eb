internal import DCNGraph

extension Family {
    /// Operators of ONNX's domains for classical learning and for training.
    static let learning = Family(
        [
            ArrayFeatureExtractor.self, Binarizer.self, LabelEncoder.self, TreeEnsemble.self, Adagrad.self,
            Adam.self, Momentum.self,
        ],
        ["ai.onnx.ml": classical, "ai.onnx.preview.training": training])

    private static let classical: [String: Dialect.Spelling] = [
        "ArrayFeatureExtractor": { (_) throws(Misfit) in Meaning(ArrayFeatureExtractor()) },
        "Binarizer": { (node) throws(Misfit) in
            Meaning(Binarizer(threshold: try node.float("threshold", default: 0)))
        },
        "TreeEnsemble": { (node) throws(Misfit) in try treeEnsemble(node) },
        "LabelEncoder": { (node) throws(Misfit) in try labelEncoder(node) },
    ]

    private static let training: [String: Dialect.Spelling] = [
        "Adagrad": { (node) throws(Misfit) in
            Meaning(
                Adagrad(
                    decay: try node.float("decay_factor", default: 0),
                    epsilon: try node.float("epsilon", default: 1e-6),
                    norm: try node.float("norm_coefficient", default: 0)))
        },
        "Adam": { (node) throws(Misfit) in
            Meaning(
                Adam(
                    alpha: try node.float("alpha", default: 0.9),
                    beta: try node.float("beta", default: 0.999),
                    epsilon: try node.float("epsilon", default: 1e-6),
                    norm: try node.float("norm_coefficient", default: 0),
                    normAfter: try node.float("norm_coefficient_post", default: 0)))
        },
        "Momentum": { (node) throws(Misfit) in Meaning(try momentum(node)) },
    ]
}

private func momentum(_ node: SourceNode) throws(Misfit) -> Momentum {
    let mode = try node.string("mode", default: "standard")
    guard mode == "standard" || mode == "nesterov" else {
        throw .attribute("mode", because: "is '\(escaped(mode))', expected standard or nesterov")
    }
    return Momentum(
        alpha: try node.float("alpha", default: 0), beta: try node.float("beta", default: 0),
        norm: try node.float("norm_coefficient", default: 0), isNesterov: mode == "nesterov")
}

/// Version 1 maps `classes_strings` to their positions and back; later ones have keys and values of their own types.
private func labelEncoder(_ node: SourceNode) throws(Misfit) -> Meaning {
    if node.version < 2 { return try firstLabelEncoder(node) }
    let keys = try list(node, "keys")
    let values = try list(node, "values")
    let explicit = try node.optionalTensor("default_tensor")
    let (whole, real) = (
        try node.int("default_int64", default: -1), try node.float("default_float", default: -0.0)
    )
    let text = try node.string("default_string", default: "_Unused")
    let fallback: Tensor? =
        switch values.type.element {
        case .string: Tensor(extents: [1], strings: [ByteString(text)])
        case .int64: Tensor(vector: [Int64(whole)])
        case .float32: Tensor(vector: [real])
        case let other: scalarTensor(other.isInteger ? -1 : -0.0, other)
        }
    return Meaning(LabelEncoder(), order: [0], extra: [keys, values, explicit ?? fallback])
}

private func firstLabelEncoder(_ node: SourceNode) throws(Misfit) -> Meaning {
    let classes = try node.optionalStrings("classes_strings") ?? []
    let names = Tensor(extents: [classes.count], strings: classes)
    let numbers = Tensor(vector: classes.indices.map { Int64($0) })
    let (whole, text) = (
        try node.int("default_int64", default: -1), try node.string("default_string", default: "_Unused")
    )
    guard node.operands?.types.first??.tensor?.element == .string else {
        return Meaning(
            LabelEncoder(), order: [0],
            extra: [numbers, names, Tensor(extents: [1], strings: [ByteString(text)])])
    }
    return Meaning(LabelEncoder(), order: [0], extra: [names, numbers, Tensor(vector: [Int64(whole)])])
}

private func list(_ node: SourceNode, _ name: String) throws(Misfit) -> Tensor {
    if let tensor = try node.optionalTensor(name + "_tensor") { return tensor }
    if let strings = try node.optionalStrings(name + "_strings"),
        let tensor = Tensor(extents: [strings.count], strings: strings)
    {
        return tensor
    }
    if let integers = try node.optionalInts(name + "_int64s") {
        return Tensor(vector: integers.map { Int64($0) })
    }
    if let floats = try node.optionalFloats(name + "_floats") { return Tensor(vector: floats) }
    throw .missing("attribute \(name)_tensor, _strings, _int64s or _floats")
}
