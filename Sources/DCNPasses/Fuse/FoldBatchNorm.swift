package import DCNGraph
internal import DCNOperators

/// Moves a normalisation with known statistics into the weights before it.
///
///     batchNormalization(conv(x, w, b?), scale, shift, mean, variance) → conv(x, w·k, (b − mean)·k + shift)
///
/// with k = scale / √(variance + ε), one for each output channel.
package struct FoldBatchNorm: Rule {
    package static let name = "fold-batch-norm"
    let conv = Hole<Conv>(), norm = Hole<BatchNormalization>()
    let x = Wire(), weights = Wire(), bias = Wire()
    let scale = Wire(), shift = Wire(), mean = Wire(), variance = Wire()
    package init() {}

    package var pattern: Pattern {
        norm(
            conv(x(), weights.constant, bias.optionalConstant).usedOnce,
            scale.constant, shift.constant, mean.constant, variance.constant)
    }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let (op, node) = match[conv], let (norm, last) = match[norm], op.activation == .none,
            let folded = FoldedScale(
                norm, weights: match.tensor(weights, in: graph), bias: match.tensor(bias, in: graph),
                parameters: [scale, shift, mean, variance].map { match.tensor($0, in: graph) })
        else { return nil }
        let (w, b) = folded.constants(named: node.name, in: &graph)
        return try graph.append(
            op, [match[x], w, b], named: node.name, outputNames: names(of: last, graph), origin: node.origin)[
                0]
    }
}

/// The same into a deformable convolution.
///
///     batchNormalization(deformConv(x, w, offset, b?, mask?), …) → deformConv(x, w·k, offset, (b − mean)·k + shift, mask)
package struct FoldBatchNormDeform: Rule {
    package static let name = "fold-batch-norm-deform"
    let conv = Hole<DeformConv>(), norm = Hole<BatchNormalization>()
    let x = Wire(), weights = Wire(), offset = Wire(), bias = Wire(), mask = Wire()
    let scale = Wire(), shift = Wire(), mean = Wire(), variance = Wire()
    package init() {}

    package var pattern: Pattern {
        norm(
            conv(x(), weights.constant, offset(), bias.optionalConstant, mask.optional).usedOnce,
            scale.constant, shift.constant, mean.constant, variance.constant)
    }

    package func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID? {
        guard let (op, node) = match[conv], let (norm, last) = match[norm], op.activation == .none,
            let folded = FoldedScale(
                norm, weights: match.tensor(weights, in: graph), bias: match.tensor(bias, in: graph),
                parameters: [scale, shift, mean, variance].map { match.tensor($0, in: graph) })
        else { return nil }
        let (w, b) = folded.constants(named: node.name, in: &graph)
        return try graph.append(
            op, [match[x], w, match[offset], b, match[mask]], named: node.name,
            outputNames: names(of: last, graph), origin: node.origin)[0]
    }
}

/// The names of a node's outputs, to be taken over by what replaces it.
func names(of node: Node, _ graph: Graph) -> [String?] {
    [node.outputs.first.flatMap { $0.map { graph[$0].name } }]
}

/// Weights and bias with a scale and shift per output channel folded in; nil where they are no float32.
struct FoldedScale {
    private let weights: Tensor
    private let bias: Tensor

    init?(_ norm: BatchNormalization, weights: Tensor?, bias: Tensor?, parameters: [Tensor?]) {
        let given = parameters.compactMap { $0 }
        guard !norm.isTraining, norm.isSpatial, given.count == 4,
            given.allSatisfy({ $0.type.element == .float32 })
        else { return nil }
        let values = given.map { $0.aligned().elements(as: Float.self).map(Double.init) }
        let scale = zip(values[0], values[3]).map { $0 / ($1 + Double(norm.epsilon)).squareRoot() }
        let shift = values[1].indices.map { values[1][$0] - values[2][$0] * scale[$0] }
        self.init(scale: scale, shift: shift, weights: weights, bias: bias)
    }

    /// y · scale + shift, one of each per output channel (the first axis of the weights).
    init?(scale: [Double], shift: [Double], weights: Tensor?, bias: Tensor?) {
        guard let weights, weights.type.element == .float32, let outputs = weights.extents.first,
            scale.count == outputs, shift.count == outputs, outputs > 0,
            bias == nil || (bias?.type.element == .float32 && bias?.count == outputs)
        else { return nil }
        var w = weights.aligned().elements(as: Float.self)
        let row = w.count / outputs
        for o in 0..<outputs { for i in o * row..<(o + 1) * row { w[i] = Float(Double(w[i]) * scale[o]) } }
        let old = bias?.aligned().elements(as: Float.self)
        let b = (0..<outputs).map { Float(Double(old?[$0] ?? 0) * scale[$0] + shift[$0]) }
        guard let folded = Tensor(extents: weights.extents, w) else { return nil }
        self.weights = folded
        self.bias = Tensor(vector: b)
    }

    func constants(named name: String, in graph: inout Graph) -> (weights: ValueID, bias: ValueID) {
        (
            graph.addConstant(name + ".weight", .tensor(weights)),
            graph.addConstant(name + ".bias", .tensor(bias))
        )
    }
}
