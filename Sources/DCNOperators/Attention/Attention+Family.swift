internal import DCNGraph

extension Family {
    /// Attention and what goes with it.
    static let attentions = Family(
        [Attention.self, RotaryEmbedding.self],
        [
            "": [
                "Attention": { (node) throws(Misfit) in Meaning(try Attention(onnx: node)) },
                "RotaryEmbedding": { (node) throws(Misfit) in Meaning(try RotaryEmbedding(onnx: node)) },
            ]
        ])
}
