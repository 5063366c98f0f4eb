package import DCNGraph

extension MatMul {
    /// Reads ONNX's Gemm: all versions mean the same but for which operands may be left out.
    static func gemm(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = MatMul()
        op.isSingle = true
        if node.version < 7 { node.ignore("broadcast") }
        op.scale = try node.float("alpha", default: 1)
        op.addendScale = try node.float("beta", default: 1)
        op.transposesLeft = try node.bool("transA", default: false)
        op.transposesRight = try node.bool("transB", default: false)
        // Without weight the addend does not count, whatever it holds.
        guard op.addendScale != 0, node.inputs.count > 2, !node.inputs[2].isEmpty else {
            op.addendScale = 1
            return Meaning(op, order: [0, 1])
        }
        return Meaning(op)
    }

    /// Reads ONNX Runtime's product with a factor and transposed operands.
    static func fused(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = MatMul()
        op.scale = try node.float("alpha", default: 1)
        op.transposesLeft = try node.bool("transA", default: false)
        op.transposesRight = try node.bool("transB", default: false)
        op.movesLeftBatch = try node.bool("transBatchA", default: false)
        op.movesRightBatch = try node.bool("transBatchB", default: false)
        return Meaning(op)
    }

    /// Reads ONNX Runtime's Gemm with an activation.
    static func fusedGemm(_ node: SourceNode) throws(Misfit) -> Meaning {
        var meaning = try gemm(node)
        guard var op = meaning.op as? MatMul else { return meaning }
        let name = try node.string("activation", default: "")
        let (alpha, beta, gamma) = (
            try node.optionalFloat("activation_alpha"), try node.optionalFloat("activation_beta"),
            try node.optionalFloat("activation_gamma")
        )
        if let function = ActivatedProduct.Function(rawValue: name) {
            meaning.op = ActivatedProduct(op, function, alpha: alpha, gamma: gamma)
        } else {
            op.activation = try Activation(named: name, alpha: alpha, beta: beta)
            meaning.op = op
        }
        return meaning
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard packed == nil, activation == .none, !inputs.has(3), !movesLeftBatch, !movesRightBatch else {
            throw .unsupported("a fused product has no standard spelling")
        }
        guard isSingle || inputs.has(2) || scale != 1 || transposesLeft || transposesRight else {
            return WrittenNode("MatMul", since: 1)
        }
        for index in 0...1 where inputs.types[index]?.tensor?.shape?.rank != 2 {
            throw .unsupported("a product of other than matrices with a factor, an addend or transposed")
        }
        var attributes: [(name: String, value: SourceAttribute)] = []
        if scale != 1 { attributes.append(("alpha", .float(scale))) }
        if addendScale != 1 { attributes.append(("beta", .float(addendScale))) }
        if transposesLeft { attributes.append(("transA", .int(1))) }
        if transposesRight { attributes.append(("transB", .int(1))) }
        return WrittenNode("Gemm", attributes, since: inputs.has(2) ? 7 : 11)
    }
}

extension Activation {
    /// An activation by the name ONNX Runtime gives it; an empty name is none.
    init(named name: String, alpha: Float?, beta: Float?) throws(Misfit) {
        switch name {
        case "": self = .none
        case "Relu": self.init(.relu)
        case "LeakyRelu": self.init(.leakyRelu, alpha: alpha ?? 0.01)
        case "Sigmoid": self.init(.sigmoid)
        case "Tanh": self.init(.tanh)
        case "Clip": self.init(.clip, alpha: alpha ?? -.infinity, beta: beta ?? .infinity)
        case "HardSigmoid": self.init(.hardSigmoid, alpha: alpha ?? 0.2, beta: beta ?? 0.5)
        case "Elu": self.init(.elu, alpha: alpha ?? 1)
        default: throw .attribute("activation", because: "is '\(escaped(name))', which has no kernel")
        }
    }
}
