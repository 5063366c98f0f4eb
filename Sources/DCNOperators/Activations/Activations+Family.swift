internal import DCNGraph

extension Family {
    /// Activations of a single operand, and what passes values on.
    static let activations = Family(
        [
            Identity.self, Dropout.self, Relu.self, LeakyRelu.self, ThresholdedRelu.self, Elu.self, Selu.self,
            Celu.self, Shrink.self, Clip.self, Sigmoid.self, HardSigmoid.self, HardSwish.self, Swish.self,
            Tanh.self, Softplus.self, Softsign.self, Mish.self, Gelu.self, BiasGelu.self,
            SwiGLU.self, ScaledSwish.self,
        ],
        [
            "": onnxActivations, "com.microsoft": microsoftActivations,
            "mmdeploy": ["Gelu": { (_) throws(Misfit) in Meaning(Gelu()) }],
            "org.openvinotoolkit": ["Swish": { (node) throws(Misfit) in openvinoSwish(node) }],
            "org.pytorch._caffe2": [
                "AliasWithName": { (node) throws(Misfit) in
                    node.ignore("name", "is_backward")
                    return Meaning(Identity())
                },
                "Alias": { (_) throws(Misfit) in Meaning(Identity()) },
                "Copy": { (_) throws(Misfit) in Meaning(Identity()) },
                "CopyCPUToGPU": { (_) throws(Misfit) in Meaning(Identity()) },
                "CopyGPUToCPU": { (_) throws(Misfit) in Meaning(Identity()) },
                "StopGradient": { (_) throws(Misfit) in Meaning(Identity()) },
            ],
        ])

    /// x and, where it is given, the number that x is multiplied by within the sigmoid.
    private static func openvinoSwish(_ node: SourceNode) -> Meaning {
        guard node.inputs.count > 1, !node.inputs[1].isEmpty else { return Meaning(Swish()) }
        return Meaning(ScaledSwish())
    }

    private static let onnxActivations: [String: Dialect.Spelling] = [
        "Identity": { (_) throws(Misfit) in Meaning(Identity()) },
        "Dropout": { (node) throws(Misfit) in try dropout(node) },
        "Relu": { (_) throws(Misfit) in Meaning(Relu()) },
        "LeakyRelu": { (node) throws(Misfit) in
            Meaning(LeakyRelu(alpha: try node.float("alpha", default: 0.01)))
        },
        "ThresholdedRelu": { (node) throws(Misfit) in
            Meaning(ThresholdedRelu(alpha: try node.float("alpha", default: 1)))
        },
        "Elu": { (node) throws(Misfit) in Meaning(Elu(alpha: try node.float("alpha", default: 1))) },
        "Selu": { (node) throws(Misfit) in
            let standard = Selu()
            return Meaning(
                Selu(
                    alpha: try node.float("alpha", default: standard.alpha),
                    gamma: try node.float("gamma", default: standard.gamma)))
        },
        "Celu": { (node) throws(Misfit) in Meaning(Celu(alpha: try node.float("alpha", default: 1))) },
        "Shrink": { (node) throws(Misfit) in
            Meaning(
                Shrink(
                    bias: try node.float("bias", default: 0), lambda: try node.float("lambd", default: 0.5)))
        },
        "Clip": { (node) throws(Misfit) in try clip(node) },
        "Sigmoid": { (_) throws(Misfit) in Meaning(Sigmoid()) },
        "HardSigmoid": { (node) throws(Misfit) in
            Meaning(
                HardSigmoid(
                    alpha: try node.float("alpha", default: 0.2), beta: try node.float("beta", default: 0.5)))
        },
        "HardSwish": { (_) throws(Misfit) in Meaning(HardSwish()) },
        "Swish": { (node) throws(Misfit) in Meaning(Swish(alpha: try node.float("alpha", default: 1))) },
        "Tanh": { (_) throws(Misfit) in Meaning(Tanh()) },
        "Softplus": { (_) throws(Misfit) in Meaning(Softplus()) },
        "Softsign": { (_) throws(Misfit) in Meaning(Softsign()) },
        "Mish": { (_) throws(Misfit) in Meaning(Mish()) },
        "Gelu": { (node) throws(Misfit) in Meaning(try gelu(node)) },
        "SwiGLU": { (node) throws(Misfit) in Meaning(SwiGLU(alpha: try node.float("alpha", default: 1))) },
    ]

    private static let microsoftActivations: [String: Dialect.Spelling] = [
        "Gelu": { (_) throws(Misfit) in Meaning(Gelu()) },
        "QuickGelu": { (node) throws(Misfit) in Meaning(Swish(alpha: try node.float("alpha", default: 1.702)))
        },
        "BiasGelu": { (_) throws(Misfit) in Meaning(BiasGelu()) },
        "FastGelu": { (node) throws(Misfit) in
            let gelu = Gelu(isApproximate: true)
            return node.inputs.count > 1 && !node.inputs[1].isEmpty
                ? Meaning(BiasGelu(gelu)) : Meaning(gelu, order: [0])
        },
    ]
}

private func gelu(_ node: SourceNode) throws(Misfit) -> Gelu {
    switch try node.string("approximate", default: "none") {
    case "none": return Gelu()
    case "tanh": return Gelu(isApproximate: true)
    case let other: throw .attribute("approximate", because: "is '\(escaped(other))', expected none or tanh")
    }
}

/// Before version 11 the bounds are attributes.
private func clip(_ node: SourceNode) throws(Misfit) -> Meaning {
    guard node.version < 11 else { return Meaning(Clip()) }
    let element = node.operands?.types.first??.tensor?.element ?? .float32
    func bound(_ name: String) throws(Misfit) -> Tensor? {
        try node.optionalFloat(name).flatMap { scalarTensor(Double($0), element) }
    }
    return Meaning(Clip(), order: [0], extra: [try bound("min"), try bound("max")])
}

/// Before version 12 the ratio is an attribute and nothing is ever dropped; before version 10 the mask has the type of x.
private func dropout(_ node: SourceNode) throws(Misfit) -> Meaning {
    node.ignore("ratio", "is_test", "consumed_inputs")
    try node.operands?.required(0, "data").expect(.floats + .eightBitFloats)
    try node.operands?.optional(1, "ratio")?.expect(.floats + .eightBitFloats)
    let seed = try node.optionalInt("seed")
    let wantsMask = node.outputs.count > 1 && !node.outputs[1].isEmpty
    let isFixed = node.version < 12 || node.inputs.count < 3 || node.inputs[2].isEmpty
    let isOff = node.operands?.constants.dropFirst(2).first??.tensor?.integers?.first == 0
    if isFixed || isOff {
        guard wantsMask else { return Meaning(Identity(), order: [0]) }
        let element = node.version < 10 ? node.operands?.types.first??.tensor?.element : nil
        return Meaning(Dropout(seed: 0, mask: element), order: [0])
    }
    return Meaning(Dropout(seed: seed))
}
