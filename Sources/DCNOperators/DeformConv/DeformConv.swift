package import DCNGraph

/// A convolution whose taps move by learnt offsets and are weighed by a mask.
///
///     y[n, o, p] = bias[o] + Σ weight[o, c, t] · mask[g(c), t, p] · x(c, p·stride − pad + t·dilation + offset[g(c), t, p])
///
/// then the activation, with `residual` (shape of y) added before it. `x` between pixels is bilinear; how it is read
/// outside the image is `border`. Positions that are NaN, infinite or far outside sample zero. A pixel that is not finite
/// spoils, with weight 0 too, every sample between it and its neighbours, and those outside that it is nearest to, NaN
/// lying before the first. Where wide layers are multiplied by Strassen's scheme (not in `exact`), two or four pixels of a
/// result, one after the other, are made of common sums: what spoils one spoils all. (Dai et al. 2017; Zhu et al. 2019 for
/// the mask.)
///
/// Inputs: x [N, C, H, W], weight [O, C/G, KH, KW], offset [N, 2·T·D, OH, OW] with T taps and D offset groups (y then x
/// of each tap), bias? [O], mask? [N, T·D, OH, OW], residual?. With `jointMask` offset holds the mask's channels after
/// its own. Once packed: x channels last, y too
/// unless it stores row-major, weight and bias in packed form, offset and mask as they come.
package struct DeformConv: Operator {
    package static let name = "DeformConv"

    /// How samples outside the image are read.
    package enum Border: String, Sendable, Hashable, Codable {
        /// Each corner outside counts as zero: the value fades out over one pixel.
        case zero
        /// Zero outside; inside, corners are clamped to the image.
        case clamp
    }

    /// The kernel and its steps.
    package var window = Window()
    /// Groups of channels that do not see each other.
    package var groups = 1
    /// Groups of channels that move together.
    package var offsetGroups = 1
    /// How samples outside the image are read.
    package var border = Border.zero
    /// Whether the mask's channels follow the offset's in one tensor.
    package var jointMask = false
    /// Whether the mask holds logits.
    package var maskSigmoid = false
    /// What is applied to each result.
    package var activation = Activation.none
    /// The form of the weights, once packed.
    package var packed: WeightForm?
    /// How y lies, once packed, where it is not channels last.
    package var resultLayout: Layout?

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let weights = try inputs.required(1, "weight")
        let offset = try inputs.required(2, "offset")
        try x.expect([.float32, .float64, .float16, .bfloat16])
        for operand in [weights, offset] { try operand.expectSameElement(as: x) }
        if let rank = x.rank ?? weights.rank, rank == 3 || rank == 5 {
            throw .unsupported("a deformable convolution of \(rank - 2) spatial axes")
        }
        let known = packed?.extents ?? weights.shape?.fixed
        // Weights are packed as soon as they are known, whatever is known of the image.
        if let extents = known {
            guard extents.count == 4 else { throw .rank(of: "weight", expected: "4", got: extents.count) }
            try expectGroups(x, extents)
        }
        guard let extents = known, let shape = x.shape else {
            return [.tensor(TensorType(x.element, nil))]
        }
        guard shape.rank == 4 else { throw .rank(of: "x", expected: "4", got: shape.rank) }
        let window = try window.resolved(kernel: Array(extents[2...]))
        var output = Shape([shape[0], .fixed(extents[0])])
        for axis in 0..<2 { output.dimensions.append(try window.output(axis, of: shape[axis + 2])) }
        try expectField(
            offset, channels: (jointMask ? 3 : 2) * offsetGroups * window.taps, output, factor: "2")
        if let mask = try inputs.optional(4, "mask") {
            guard !jointMask else { throw .value(of: "mask", because: "is there twice") }
            try mask.expectSameElement(as: x)
            try expectField(mask, channels: offsetGroups * window.taps, output, factor: "1")
        }
        if let bias = try inputs.optional(3, "bias", rank: 1) {
            let count = packed == nil ? extents[0] : paddedChannels(extents[0])
            try bias.expectSameElement(as: x)
            try bias.expect(count, along: 0, because: "one for each output channel")
        }
        if let residual = try inputs.optional(5, "residual", rank: 4) {
            try residual.expectSameElement(as: x)
            for axis in 0..<4 { try residual.expect(output[axis], along: axis, because: "as y") }
        }
        let layout = packed == nil ? .rowMajor : resultLayout ?? .channelsLast
        return [.tensor(TensorType(x.element, output, layout: layout))]
    }

    private func expectGroups(_ x: Operand, _ weights: [Int]) throws(Misfit) {
        guard groups >= 1 else { throw .attribute("group", because: "is \(groups), expected at least 1") }
        guard offsetGroups >= 1 else {
            throw .attribute("offset_group", because: "is \(offsetGroups), expected at least 1")
        }
        let (channels, overflow) = weights[1].multipliedReportingOverflow(by: groups)
        guard !overflow, weights[0] % groups == 0 else {
            throw .extent(
                of: "weight", axis: 0, expected: "a multiple of \(groups)", got: "\(weights[0])",
                because: "group")
        }
        try x.expect(channels, along: 1, because: "group × weight's channels")
        guard channels % offsetGroups == 0 else {
            throw .attribute(
                "offset_group", because: "is \(offsetGroups), which does not divide \(channels) channels")
        }
    }

    private func expectField(
        _ field: Operand, channels: Int, _ output: Shape, factor: String
    ) throws(Misfit) {
        try field.expectRank(4)
        try field.expect(output[0], along: 0, because: "the batch of x")
        try field.expect(channels, along: 1, because: "\(factor) × offset_group × kernel taps")
        try field.expect(output[2], along: 2, because: "the height of the output")
        try field.expect(output[3], along: 3, because: "the width of the output")
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard packed == nil else { return .kernel(try DeformConvKernel(self, call)) }
        return .routine(try UnpackedDeformConv(self, call))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard packed != nil else { return .rowMajor }
        return .channelsLast(inputs: [0, 5], outputs: resultLayout == .rowMajor ? [] : [0], either: [2, 4])
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        let weights = packed?.extents ?? inputs[1]?.tensor?.extents ?? []
        guard let count = outputs[0]?.tensor?.elementCount, weights.count == 4 else { return 0 }
        return count.multipliedReportingOverflow(by: weights[1...].reduce(1, &*)).partialValue
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard packed == nil, activation == .none, !jointMask, !maskSigmoid, !inputs.has(5) else {
            throw .unsupported("a fused deformable convolution has no standard spelling")
        }
        guard border == .zero else {
            throw .unsupported("DeformConv that clamps at the border has no standard spelling")
        }
        var attributes = window.written
        if groups != 1 { attributes.append(("group", .int(groups))) }
        if offsetGroups != 1 { attributes.append(("offset_group", .int(offsetGroups))) }
        return WrittenNode("DeformConv", attributes, since: 19)
    }
}

extension DeformConv: ResultLayoutChoosing {
    package func giving(_ layout: Layout) -> (any Operator)? {
        guard packed != nil else { return nil }
        var op = self
        op.resultLayout = layout
        return op
    }
}

extension DeformConv: OffsetReading {
    package var offsetInputs: [Int] { [2] }
}
