package import DCNGraph

/// Attention whose scores and weights pass through graphs of the file.
///
///     y = prob_mod(softmax(score_mod(scale · Q Kᵀ))) · V
///
/// Heads of queries share those of keys in equal runs. Both graphs take and give one tensor [B, H, L, S] of the
/// precision of the softmax, then what they capture.
/// Inputs: Q [B, H, L, D], K [B, K, S, D], V [B, K, S, V], then captured values. Output: [B, H, L, V]. A query with a
/// score that is NaN or +∞, or with no score above −∞, gives NaN; so does 0 · ∞ of a weight and a value.
package struct FlexAttention: Operator {
    package static let name = "FlexAttention"
    /// A factor of the products; nil: 1/√D.
    package var scale: Float?
    /// The element type of scores and weights; nil: float32, or float64 where Q is.
    package var precision: ElementType?
    /// Whether the first body changes the scores.
    package var changesScores = false
    /// Whether the last body changes the weights.
    package var changesWeights = false

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let q = try inputs.required(0, "Q", rank: 4)
        let k = try inputs.required(1, "K", rank: 4)
        let v = try inputs.required(2, "V", rank: 4)
        try q.expect(.floats)
        for operand in [k, v] {
            try operand.expectSameElement(as: q)
            try operand.expect(q.dimension(0), along: 0, because: "as Q")
        }
        try k.expect(q.dimension(3), along: 3, because: "as Q")
        for axis in 1...2 { try v.expect(k.dimension(axis), along: axis, because: "as K") }
        if let heads = q.dimension(1).fixed, let shared = k.dimension(1).fixed,
            shared == 0 ? heads != 0 : heads % shared != 0
        {
            throw .extent(
                of: "Q", axis: 1, expected: "a multiple of \(shared)", got: "\(heads)", because: "K's heads")
        }
        for (index, name) in modifiers.enumerated() {
            try inputs.body(index, name).expectCounts(inputs: inputs.count - 2, outputs: 1)
        }
        return [
            .tensor(
                TensorType(
                    q.element, Shape([q.dimension(0), q.dimension(1), q.dimension(2), v.dimension(3)])))
        ]
    }

    private var modifiers: [String] {
        (changesScores ? ["score_mod"] : []) + (changesWeights ? ["prob_mod"] : [])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let op = self
        return .routine(ValueRoutine { (values, scope) throws(Misfit) in [try op.run(values, in: scope)] })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard inputs.count > 2, let q = inputs[0]?.tensor?.extents, let v = inputs[2]?.tensor?.extents,
            q.count == 4, v.count == 4
        else { return 0 }
        return elementCount(of: [q[0], q[1], q[2], v[2], q[3] + v[3]]) ?? 0
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if let scale { attributes.append(("scale", .float(scale))) }
        if let precision { attributes.append(("softmax_precision", .int(precision.rawValue))) }
        return WrittenNode(
            Self.name, attributes, domain: "ai.onnx.preview", order: [0, 1, 2], bodies: modifiers, since: 1)
    }
}

extension FlexAttention {
    /// Reads ONNX's FlexAttention.
    init(onnx node: SourceNode) throws(Misfit) {
        scale = try node.optionalFloat("scale")
        changesScores = node.has("score_mod")
        changesWeights = node.has("prob_mod")
        guard let code = try node.optionalInt("softmax_precision") else { return }
        guard let element = ElementType(rawValue: code), [ElementType].floats.contains(element) else {
            throw .attribute("softmax_precision", because: "is \(code), which is no float type")
        }
        precision = element
    }

    /// The answer, by way of other operators, in float32 or float64.
    fileprivate func run(_ values: [Datum?], in scope: any Scope) throws(Misfit) -> Datum {
        guard values.count > 2, let q = values[0]?.tensor, let k = values[1]?.tensor,
            let v = values[2]?.tensor
        else { throw .missing("Q, K or V") }
        let element = q.type.element
        let precision = precision ?? (element == .float64 ? .float64 : .float32)
        let sums: ElementType = element == .float64 || precision == .float64 ? .float64 : .float32
        let captured = Array(values.dropFirst(3))
        let grouped = [q.extents[0], k.extents[1], q.extents[1] * q.extents[2] / max(1, k.extents[1])]
        let whole = [q.extents[0], q.extents[1], q.extents[2], k.extents[2]]
        var scores = try products(q, k, sums, grouped + [q.extents[3]], in: scope)
        scores = try cast(try shaped(scores, whole), to: precision, in: scope)
        if changesScores { scores = try changed(scores, 0, captured, in: scope) }
        scores = try performOne(Softmax(), [try cast(scores, to: sums, in: scope)], in: scope)
        if changesWeights {
            scores = try cast(scores, to: precision, in: scope)
            scores = try changed(scores, changesScores ? 1 : 0, captured, in: scope)
            scores = try cast(scores, to: sums, in: scope)
        }
        let weights = try shaped(scores, grouped + [k.extents[2]])
        let y = try performOne(MatMul(), [weights, try cast(.tensor(v), to: sums, in: scope)], in: scope)
        return try cast(
            try shaped(y, [q.extents[0], q.extents[1], q.extents[2], v.extents[3]]), to: element, in: scope)
    }

    /// scale · Q Kᵀ, the heads that share keys stacked.
    private func products(
        _ q: Tensor, _ k: Tensor, _ sums: ElementType, _ grouped: [Int], in scope: any Scope
    ) throws(Misfit) -> Datum {
        let factor = scale.map(Double.init) ?? 1 / Double(q.extents[3]).squareRoot()
        guard let factor = scalarTensor(factor, sums) else { throw noKernel(Self.name, for: sums) }
        let query = try shaped(try cast(.tensor(q), to: sums, in: scope), grouped)
        let scaled = try performOne(Mul(), [query, .tensor(factor)], in: scope)
        let key = try cast(.tensor(k), to: sums, in: scope)
        let turned = try performOne(Transpose(permutation: [0, 1, 3, 2]), [key], in: scope)
        return try performOne(MatMul(), [scaled, turned], in: scope)
    }

    /// What a body makes of scores or weights, which must be of the same type.
    private func changed(
        _ scores: Datum, _ body: Int, _ captured: [Datum?], in scope: any Scope
    ) throws(Misfit) -> Datum {
        try scope.checkpoint()
        let given = try scope.run(body: body, [scores] + captured)
        guard let first = given.first, first.type == scores.type else {
            throw .value(
                of: body == 0 && changesScores ? "score_mod" : "prob_mod",
                because: "gives \(given.first.map { "\($0.type)" } ?? "nothing"), expected \(scores.type)")
        }
        return first
    }

    private func cast(_ datum: Datum, to element: ElementType, in scope: any Scope) throws(Misfit) -> Datum {
        datum.tensor?.type.element == element ? datum : try performOne(Cast(to: element), [datum], in: scope)
    }

    private func shaped(_ datum: Datum, _ extents: [Int]) throws(Misfit) -> Datum {
        guard let tensor = datum.tensor?.reshaped(to: extents) else {
            throw .value(of: "the scores", because: "do not have the extents \(extents)")
        }
        return .tensor(tensor)
    }
}
