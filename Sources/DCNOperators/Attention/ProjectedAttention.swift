package import DCNGraph

/// Attention of several heads with its projections (ncnn's MultiHeadAttention, as mmdeploy writes it).
///
///     y = concat over heads of softmax(q · kᵀ / √(E / heads)) · v, times Woᵀ, plus bo            q = query · Wqᵀ + bq, k and v alike
///
/// Inputs: query `[B, Q, F]`, key `[B, K, F]`, value `[B, K, F]`, then weights `[E, F]` and biases `[E]` of query, key and value, and those of the
/// output, `[F′, E]` and `[F′]`. Output `[B, Q, F′]`. Row by row NaN and infinities do as they do in
/// DotProductAttention.
package struct ProjectedAttention: Composite {
    package static let name = "ProjectedAttention"
    /// How many parts features are cut into.
    package var heads: Int

    package init(heads: Int) { self.heads = heads }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var rows: [Operand] = []
        for (index, name) in ["query", "key", "value"].enumerated() {
            rows.append(try inputs.required(index, name, rank: 3))
            try rows[index].expect(ElementType.reals + [.float16, .bfloat16])
            try rows[index].expectSameElement(as: rows[0])
            try rows[index].expect(rows[0].dimension(0), along: 0, because: "the batch of query")
        }
        try rows[2].expect(rows[1].dimension(1), along: 1, because: "one for each key")
        guard (1...(1 << 16)).contains(heads) else {
            throw .attribute("num_heads", because: "is \(heads), expected 1 … \(1 << 16)")
        }
        var size = Dimension.unknown
        for (index, name) in ["q", "k", "v", "o"].enumerated() {
            let weight = try inputs.required(3 + 2 * index, "\(name)_weight", rank: 2)
            let bias = try inputs.required(4 + 2 * index, "\(name)_bias", rank: 1)
            for operand in [weight, bias] { try operand.expectSameElement(as: rows[0]) }
            try bias.expect(weight.dimension(0), along: 0, because: "one for each feature")
            if index == 0 { size = weight.dimension(0) }
            if index < 3 { try weight.expect(size, along: 0, because: "as q_weight") }
            try weight.expect(
                index < 3 ? rows[index].dimension(2) : size, along: 1, because: "what it is applied to")
        }
        if let size = size.fixed, size % heads != 0 {
            throw .attribute("num_heads", because: "is \(heads), which does not divide \(size)")
        }
        let output = try inputs.required(9, "o_weight").dimension(0)
        return [
            .tensor(TensorType(rows[0].element, Shape([rows[0].dimension(0), rows[0].dimension(1), output])))
        ]
    }
}
