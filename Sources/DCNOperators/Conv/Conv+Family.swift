internal import DCNGraph

extension Family {
    /// Convolutions and what belongs to them.
    static let convolutions = Family(
        [Conv.self, ConvTranspose.self, DeformConv.self, NhwcConv.self, PooledConv.self],
        [
            "": [
                "Conv": { (node) throws(Misfit) in Meaning(try Conv(onnx: node)) },
                "ConvTranspose": { (node) throws(Misfit) in Meaning(try ConvTranspose(onnx: node)) },
                "DeformConv": { (node) throws(Misfit) in Meaning(try DeformConv(onnx: node)) },
            ],
            "com.microsoft": [
                "FusedConv": fusedConv,
                "NhwcConv": { (node) throws(Misfit) in Meaning(NhwcConv(try Conv(onnx: node))) },
            ],
        ])

    /// ONNX Runtime's convolution with an activation; its fourth operand is added before that.
    private static func fusedConv(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = try Conv(onnx: node)
        let numbers = try node.optionalFloats("activation_params") ?? []
        op.activation = try Activation(
            named: try node.string("activation", default: ""), alpha: numbers.first,
            beta: numbers.dropFirst().first)
        return Meaning(op)
    }
}
