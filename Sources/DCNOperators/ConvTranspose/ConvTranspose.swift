package import DCNGraph

/// The transpose of a convolution over one to three spatial axes.
///
///     y[n, o, p] = bias[o] + Σ weight[c, o, t] · x[n, c, q] over all c, q, t with q·stride − pad + t·dilation = p
///
/// then the activation, with `residual` (shape of y) added before it.
/// Inputs: x [N, C, …], weight [C, O/G, …], bias? [O], residual?. Once packed: x and y channels last, weight and bias in
/// the form `packed` names. What is not finite reaches the y that it is spread to, and no other; a batch of nothing
/// gives nothing.
package struct ConvTranspose: Operator {
    package static let name = "ConvTranspose"
    /// The kernel and its steps; padding is cut off the result.
    package var window = Window()
    /// Extents of the result; empty: they follow from padding, and where given, padding follows from them.
    package var outputShape: [Int] = []
    /// Positions added at the end of each axis; empty: 0.
    package var outputPadding: [Int] = []
    /// Groups of channels that do not see each other.
    package var groups = 1
    /// What is applied to each result.
    package var activation = Activation.none
    /// The form of the weights, once packed.
    package var packed: WeightForm?

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let weights = try inputs.required(1, "weight")
        try x.expect([.float32, .float64, .float16, .bfloat16])
        try weights.expectSameElement(as: x)
        if let packed { try expectSane(packed) }
        guard let weightShape = packed.map({ Shape($0.extents) }) ?? weights.shape, let shape = x.shape else {
            return [
                .tensor(TensorType(x.element, x.rank.map { Shape(Array(repeating: .unknown, count: $0)) }))
            ]
        }
        guard (3...5).contains(shape.rank) else { throw .rank(of: "x", expected: "3 to 5", got: shape.rank) }
        guard weightShape.rank == shape.rank else {
            throw .rank(of: "weight", expected: "\(shape.rank) as x", got: weightShape.rank)
        }
        let outputs = try outputs(weightShape)
        try expectOperands(inputs, x, weightShape, outputs)
        var output = Shape([shape[0], outputs])
        for axis in 2..<shape.rank {
            output.dimensions.append(try extent(axis - 2, shape[axis], weightShape))
        }
        if let residual = try inputs.optional(3, "residual", rank: shape.rank) {
            try residual.expectSameElement(as: x)
            for axis in output.dimensions.indices {
                try residual.expect(output[axis], along: axis, because: "as y")
            }
        }
        return [.tensor(TensorType(x.element, output, layout: packed == nil ? .rowMajor : .channelsLast))]
    }

    private func expectSane(_ packed: WeightForm) throws(Misfit) {
        guard packed.extents.count > 2, packed.extents.allSatisfy({ (1...Window.largest).contains($0) }),
            elementCount(of: packed.extents) != nil, packed.form == .direct
        else { throw .attribute("packed", because: "is \(packed.form) of \(packed.extents)") }
    }

    private func outputs(_ weights: Shape) throws(Misfit) -> Dimension {
        guard groups >= 1 else { throw .attribute("group", because: "is \(groups), expected at least 1") }
        guard let perGroup = weights[1].fixed else { return .unknown }
        let (count, overflow) = perGroup.multipliedReportingOverflow(by: groups)
        guard !overflow else { throw .attribute("group", because: "is too large") }
        return .fixed(count)
    }

    private func expectOperands(
        _ inputs: Inputs, _ x: Operand, _ weights: Shape, _ outputs: Dimension
    ) throws(Misfit) {
        try x.expect(weights[0], along: 1, because: "weight's channels")
        if let channels = weights[0].fixed, channels % groups != 0 {
            throw .extent(
                of: "weight", axis: 0, expected: "a multiple of \(groups)", got: "\(channels)",
                because: "group")
        }
        guard let bias = try inputs.optional(2, "bias", rank: 1) else { return }
        try bias.expectSameElement(as: x)
        guard let count = outputs.fixed else { return }
        try bias.expect(
            packed == nil ? count : paddedChannels(count), along: 0, because: "one for each output channel")
    }

    private func extent(_ axis: Int, _ dimension: Dimension, _ weights: Shape) throws(Misfit) -> Dimension {
        guard let kernel = Shape(Array(weights.dimensions[2...])).fixed else { return .unknown }
        let place = try placement(kernel)
        guard let extent = dimension.fixed else {
            return outputShape.isEmpty ? .unknown : .fixed(outputShape[axis])
        }
        guard extent <= Window.largest else {
            throw .limit(of: "an extent", asked: extent, limit: Window.largest)
        }
        return .fixed(place.output(axis, extent: extent))
    }

    /// Where results come to lie, numbers checked.
    func placement(_ kernel: [Int]) throws(Misfit) -> TransposedWindow {
        let window = try window.resolved(kernel: kernel)
        let rank = kernel.count
        let added = outputPadding.isEmpty ? Array(repeating: 0, count: rank) : outputPadding
        guard added.count == rank, added.allSatisfy({ (0...Window.largest).contains($0) }) else {
            throw .attribute(
                "output_padding", because: "is \(outputPadding), expected \(rank) numbers from 0")
        }
        guard outputShape.isEmpty || outputShape.count == rank,
            outputShape.allSatisfy({ (0...Window.largest).contains($0) })
        else { throw .attribute("output_shape", because: "is \(outputShape), expected \(rank) extents") }
        return TransposedWindow(window: window, added: added, wanted: outputShape)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard packed == nil else { return .kernel(try ConvTransposeKernel(self, call)) }
        return .routine(try UnpackedConvTranspose(self, call))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        packed == nil ? .rowMajor : .channelsLast(inputs: [0, 3], outputs: [0])
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        let weights = packed?.extents ?? inputs[1]?.tensor?.extents ?? []
        guard let count = inputs[0]?.tensor?.elementCount, weights.count > 2 else { return 0 }
        return count * weights[1...].reduce(1, *)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard packed == nil, activation == .none, !inputs.has(3) else {
            throw .unsupported("a fused convolution has no standard spelling")
        }
        var attributes = window.written
        if groups != 1 { attributes.append(("group", .int(groups))) }
        if !outputShape.isEmpty { attributes.append(("output_shape", .ints(outputShape))) }
        if !outputPadding.isEmpty { attributes.append(("output_padding", .ints(outputPadding))) }
        return WrittenNode("ConvTranspose", attributes, since: 1)
    }
}

extension ConvTranspose {
    /// Reads ONNX's ConvTranspose: all versions mean the same.
    init(onnx node: SourceNode) throws(Misfit) {
        window = try Window(onnx: node)
        groups = try node.int("group", default: 1)
        outputShape = try node.ints("output_shape", default: [])
        outputPadding = try node.ints("output_padding", default: [])
        // Some files give the whole shape, batch and channels included.
        if let rank = node.operands?.types.first??.tensor?.shape?.rank, rank > 2,
            outputShape.count == rank
        {
            outputShape.removeFirst(2)
        }
    }
}

/// A window that results are spread through.
struct TransposedWindow: Sendable {
    let window: Window
    let added: [Int]
    let wanted: [Int]

    /// The extent of the result along an axis.
    func output(_ axis: Int, extent: Int) -> Int {
        if !wanted.isEmpty { return wanted[axis] }
        switch window.autoPad {
        case .sameUpper, .sameLower: return extent * window.strides[axis]
        case .valid: return max(0, whole(axis, extent))
        case .explicit:
            return max(0, whole(axis, extent) - window.pads[axis] - window.pads[axis + window.kernel.count])
        }
    }

    /// How much is cut off at the begin of an axis.
    func padding(_ axis: Int, extent: Int) -> Int {
        let follows = !wanted.isEmpty && window.pads.allSatisfy { $0 == 0 }
        switch window.autoPad {
        case .explicit where !follows: return window.pads[axis]
        case .valid where !follows: return 0
        default: break
        }
        let total = max(0, whole(axis, extent) - output(axis, extent: extent))
        return window.autoPad == .sameUpper ? total / 2 : total - total / 2
    }

    private func whole(_ axis: Int, _ extent: Int) -> Int {
        window.strides[axis] * (extent - 1) + added[axis] + window.reach(axis)
    }
}
