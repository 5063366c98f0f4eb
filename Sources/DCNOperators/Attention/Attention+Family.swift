internal import DCNGraph

extension Family {
    /// Attention and what goes with it.
    static let attentions = Family(
        [
            Attention.self, DotProductAttention.self, RotaryEmbedding.self, LinearAttention.self,
            FlexAttention.self,
            CausalConvWithState.self, ProjectedAttention.self,
        ],
        [
            "": [
                "Attention": { (node) throws(Misfit) in Meaning(try Attention(onnx: node)) },
                "RotaryEmbedding": { (node) throws(Misfit) in Meaning(try RotaryEmbedding(onnx: node)) },
                "LinearAttention": { (node) throws(Misfit) in Meaning(try LinearAttention(onnx: node)) },
                "CausalConvWithState": { (node) throws(Misfit) in
                    Meaning(try CausalConvWithState(onnx: node))
                },
            ],
            "ai.onnx.preview": [
                "FlexAttention": { (node) throws(Misfit) in try flexAttention(node) }
            ],
            "mmdeploy": [
                "ScaledDotProductAttentionTRT": { (_) throws(Misfit) in Meaning(DotProductAttention()) },
                "MultiHeadAttention": { (node) throws(Misfit) in
                    node.ignore("embed_dim")
                    let older = try node.optionalInt("num_head")
                    return Meaning(ProjectedAttention(heads: try node.int("num_heads", default: older ?? 1)))
                },
            ],
        ])
}

private func flexAttention(_ node: SourceNode) throws(Misfit) -> Meaning {
    let op = try FlexAttention(onnx: node)
    let bodies = (op.changesScores ? ["score_mod"] : []) + (op.changesWeights ? ["prob_mod"] : [])
    for name in bodies { try expectBodies(node, name) }
    return Meaning(op, bodies: bodies)
}
