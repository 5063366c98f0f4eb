internal import DCNGraph

extension Family {
    /// Quantised numbers and arithmetic on them.
    static let quantisation = Family(
        [
            QuantizeLinear.self, DequantizeLinear.self, DynamicQuantizeLinear.self, MatMulInteger.self,
            QLinearMatMul.self, ConvInteger.self, QLinearConv.self, QLinearMap.self, QLinearArithmetic.self,
            QLinearGlobalAveragePool.self, QLinearConcat.self, FakeQuantize.self,
        ],
        [
            "": onnxQuantisation, "com.microsoft": microsoftQuantisation,
            "org.openvinotoolkit": [
                "FakeQuantize": { (node) throws(Misfit) in
                    node.ignore("auto_broadcast")
                    return Meaning(FakeQuantize(levels: try node.int("levels")))
                }
            ],
        ])

    private static let onnxQuantisation: [String: Dialect.Spelling] = [
        "QuantizeLinear": { (node) throws(Misfit) in Meaning(try quantize(node)) },
        "DequantizeLinear": { (node) throws(Misfit) in Meaning(try dequantize(node)) },
        "DynamicQuantizeLinear": { (_) throws(Misfit) in Meaning(DynamicQuantizeLinear()) },
        "MatMulInteger": { (_) throws(Misfit) in Meaning(MatMulInteger()) },
        "QLinearMatMul": { (_) throws(Misfit) in Meaning(QLinearMatMul()) },
        "ConvInteger": { (node) throws(Misfit) in
            Meaning(ConvInteger(try Window(onnx: node), groups: try node.int("group", default: 1)))
        },
        "QLinearConv": { (node) throws(Misfit) in
            Meaning(QLinearConv(try Window(onnx: node), groups: try node.int("group", default: 1)))
        },
    ]

    private static let microsoftQuantisation: [String: Dialect.Spelling] = [
        "QuantizeLinear": { (node) throws(Misfit) in Meaning(try quantize(node)) },
        "DequantizeLinear": { (node) throws(Misfit) in Meaning(try dequantize(node)) },
        "QLinearAdd": { (_) throws(Misfit) in Meaning(QLinearArithmetic(multiplies: false)) },
        "QLinearMul": { (_) throws(Misfit) in Meaning(QLinearArithmetic(multiplies: true)) },
        "QLinearSigmoid": { (_) throws(Misfit) in Meaning(QLinearMap(.sigmoid)) },
        "QLinearLeakyRelu": { (node) throws(Misfit) in
            Meaning(QLinearMap(.leakyRelu(alpha: try node.float("alpha", default: 0.01))))
        },
        "QLinearGlobalAveragePool": { (node) throws(Misfit) in
            Meaning(QLinearGlobalAveragePool(isChannelsLast: try node.bool("channels_last", default: false)))
        },
        "QLinearConcat": { (node) throws(Misfit) in Meaning(QLinearConcat(axis: try node.int("axis"))) },
    ]
}

private func element(_ node: SourceNode, _ name: String) throws(Misfit) -> ElementType? {
    guard try node.int(name, default: 0) != 0 else { return nil }
    return try node.optionalElement(name)
}

private func quantize(_ node: SourceNode) throws(Misfit) -> QuantizeLinear {
    QuantizeLinear(
        axis: try node.int("axis", default: 1), blockSize: try node.int("block_size", default: 0),
        saturate: try node.bool("saturate", default: true), element: try element(node, "output_dtype"),
        precision: try element(node, "precision"))
}

private func dequantize(_ node: SourceNode) throws(Misfit) -> DequantizeLinear {
    DequantizeLinear(
        axis: try node.int("axis", default: 1), blockSize: try node.int("block_size", default: 0),
        element: try element(node, "output_dtype"))
}
