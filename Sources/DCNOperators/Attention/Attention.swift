package import DCNGraph

/// Attention: values weighed by how well their keys meet a query.
///
///     y[i] = Σ softmax(cap(scale · q[i] · k[j]) + bias[i, j]) · v[j]
///
/// for every head; heads of queries share those of keys and values in equal runs. `bias` holds the mask (where a
/// boolean one is false, −∞), the causal frontier j ≤ i + offset, the window around i + offset, and the end of the keys.
/// The offset is the number of past keys, or `lengths` less the number of queries. A query that may look at nothing
/// gives zeros.
/// Inputs: Q, K, V ([B, H, L, D] or [B, L, H·D]), mask?, past key?, past value?, lengths? [B].
/// Outputs: Y, present key, present value, and the scores as `scores` says. A key that a mask closes has no say,
/// whatever its numbers, nor has the value of any key of weight 0. A score of another key that is NaN or +∞ makes its
/// query's answer NaN.
package struct Attention: Operator {
    package static let name = "Attention"
    /// Heads of queries, for operands of rank 3.
    package var queryHeads: Int?
    /// Heads of keys and values, for operands of rank 3.
    package var keyHeads: Int?
    /// A factor of the products; nil: 1/√D.
    package var scale: Float?
    /// Products are bent to stay within ±this; 0: not.
    package var softcap: Float = 0
    /// Whether queries look at no later key.
    package var isCausal = false
    /// How many earlier keys a query sees; nil: all.
    package var leftWindow: Int?
    /// How many later keys a query sees; nil: all.
    package var rightWindow: Int?
    /// Which numbers are given as scores.
    package var scores = Scores.products

    /// The stages whose numbers can be had.
    package enum Scores: Int, Sendable, Hashable, Codable { case products, capped, biased, weights }

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let q = try inputs.required(0, "Q")
        let k = try inputs.required(1, "K")
        let v = try inputs.required(2, "V")
        for operand in [q, k, v] { try operand.expect([.float32, .float64, .float16, .bfloat16]) }
        try inputs.optional(3, "attn_mask")?.expect(.numbers + [.bool])
        try k.expectSameElement(as: q)
        guard let rank = q.rank, k.rank != nil, v.rank != nil else {
            return types(q, v, Array(repeating: nil, count: 4), inputs)
        }
        guard rank == 3 || rank == 4 else { throw .rank(of: "Q", expected: "3 or 4", got: rank) }
        try k.expectRank(rank)
        try v.expectRank(rank)
        guard let sizes = try AttentionSizes(self, inputs) else {
            let unknown = Shape(Array(repeating: .unknown, count: 4))
            return types(
                q, v, [Shape(Array(repeating: .unknown, count: rank)), unknown, unknown, unknown], inputs)
        }
        try sizes.check(inputs)
        let y =
            rank == 4
            ? [sizes.batch, sizes.heads, sizes.queries, sizes.valueSize]
            : [sizes.batch, sizes.queries, sizes.heads * sizes.valueSize]
        let shapes = [
            y, [sizes.batch, sizes.keyHeads, sizes.keys, sizes.size],
            [sizes.batch, sizes.keyHeads, sizes.keys, sizes.valueSize],
            [sizes.batch, sizes.heads, sizes.queries, sizes.keys],
        ]
        return types(q, v, shapes.map { Shape($0) }, inputs)
    }

    private func types(_ q: Operand, _ v: Operand, _ shapes: [Shape?], _ inputs: Inputs) -> [ValueType] {
        let elements = [q.element, q.element, v.element, q.element]
        return zip(elements, shapes).prefix(max(1, inputs.outputCount)).map { .tensor(TensorType($0, $1)) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let inputs = Inputs(call.inputs, constants: call.constants, outputCount: call.outputs.count)
        guard let sizes = try AttentionSizes(self, inputs) else { throw .missing("the shapes of Q, K and V") }
        let element = try call.input(0).element
        let others = call.inputs.dropFirst().compactMap { $0?.tensor?.element }
        guard others.allSatisfy({ !$0.isFloat || $0 == element }) else {
            throw .unsupported("attention of mixed element types")
        }
        let mask = call.has(3) ? try AttentionMask(call.input(3), sizes) : nil
        switch element {
        case .float32: return .kernel(AttentionKernel<Float>(self, sizes, mask))
        case .float64: return .kernel(AttentionKernel<Double>(self, sizes, mask))
        default: throw noKernel("Attention", for: element)
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        let known = Inputs(inputs, outputCount: outputs.count)
        guard let s = try? AttentionSizes(self, known) else { return 0 }
        return s.batch * s.heads * s.queries * s.keys * (s.size + s.valueSize)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if let queryHeads { attributes.append(("q_num_heads", .int(queryHeads))) }
        if let keyHeads { attributes.append(("kv_num_heads", .int(keyHeads))) }
        if let scale { attributes.append(("scale", .float(scale))) }
        if softcap != 0 { attributes.append(("softcap", .float(softcap))) }
        if isCausal { attributes.append(("is_causal", .int(1))) }
        if let leftWindow { attributes.append(("left_window_size", .int(leftWindow))) }
        if let rightWindow { attributes.append(("right_window_size", .int(rightWindow))) }
        if scores != .products { attributes.append(("qk_matmul_output_mode", .int(scores.rawValue))) }
        let hasWindow = leftWindow != nil || rightWindow != nil
        return WrittenNode("Attention", attributes, since: hasWindow ? 25 : inputs.has(6) ? 24 : 23)
    }
}

extension Attention {
    /// Reads ONNX's Attention.
    init(onnx node: SourceNode) throws(Misfit) {
        queryHeads = try node.optionalInt("q_num_heads")
        keyHeads = try node.optionalInt("kv_num_heads")
        scale = try node.optionalFloat("scale")
        softcap = try node.float("softcap", default: 0)
        isCausal = try node.bool("is_causal", default: false)
        if let code = try node.optionalInt("softmax_precision"), ElementType(rawValue: code)?.isFloat != true
        {
            throw .attribute("softmax_precision", because: "is \(code), which is no float type")
        }
        let mode = try node.int("qk_matmul_output_mode", default: 0)
        guard let scores = Scores(rawValue: mode) else {
            throw .attribute("qk_matmul_output_mode", because: "is \(mode), expected 0 … 3")
        }
        self.scores = scores
        guard node.version >= 25 else { return }
        leftWindow = try Attention.window(node, "left_window_size")
        rightWindow = try Attention.window(node, "right_window_size")
    }

    private static func window(_ node: SourceNode, _ name: String) throws(Misfit) -> Int? {
        let size = try node.int(name, default: -1)
        guard size >= -1, size <= Window.largest else {
            throw .attribute(name, because: "is \(size), expected at least −1")
        }
        return size < 0 ? nil : size
    }
}
