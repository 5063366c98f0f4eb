package import DCNGraph

/// A convolution over one to three spatial axes.
///
///     y[n, o, p] = bias[o] + Σ weight[o, c, t] · x[n, g(o)·C/G + c, p·stride − pad + t·dilation]
///
/// then the activation, with `residual` (shape of y) added before it. `x` outside its extent is zero.
/// NaN and infinities reach every y whose window holds them; in Winograd's forms also those computed in the same block.
/// Inputs: x [N, C, …], weight [O, C/G, …], bias? [O], residual?. Once packed: weight and bias in the form `packed`
/// names; x and y channels last, but for first layers, which read row-major and write what `resultLayout` says, and
/// depthwise ones, which do as their input does.
package struct Conv: Operator {
    package static let name = "Conv"
    /// The kernel and its steps.
    package var window = Window()
    /// Groups of channels that do not see each other.
    package var groups = 1
    /// What is applied to each result.
    package var activation = Activation.none
    /// The form of the weights, once packed.
    package var packed: WeightForm?
    /// How y lies where the form leaves the choice; nil: channels last.
    package var resultLayout: Layout?

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let weights = try inputs.required(1, "weight")
        try x.expect([.float32, .float64, .float16, .bfloat16])
        try weights.expectSameElement(as: x)
        guard let weightShape = packed.map({ Shape($0.extents) }) ?? weights.shape else {
            return [.tensor(TensorType(x.element, nil))]
        }
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard (3...5).contains(shape.rank) else { throw .rank(of: "x", expected: "3 to 5", got: shape.rank) }
        guard weightShape.rank == shape.rank else {
            throw .rank(of: "weight", expected: "\(shape.rank) as x", got: weightShape.rank)
        }
        try expectChannels(x, weightShape)
        try expectBias(inputs, x, weightShape)
        guard let kernel = Shape(Array(weightShape.dimensions[2...])).fixed else {
            return [.tensor(TensorType(x.element, Shape(Array(repeating: .unknown, count: shape.rank))))]
        }
        let window = try window.resolved(kernel: kernel)
        var output = Shape([shape[0], weightShape[0]])
        for axis in kernel.indices { output.dimensions.append(try window.output(axis, of: shape[axis + 2])) }
        if let residual = try inputs.optional(3, "residual", rank: shape.rank) {
            try residual.expectSameElement(as: x)
            for axis in output.dimensions.indices {
                try residual.expect(output[axis], along: axis, because: "as y")
            }
        }
        return [.tensor(TensorType(x.element, output, layout: outputLayout(for: x.type)))]
    }

    private func expectChannels(_ x: Operand, _ weights: Shape) throws(Misfit) {
        guard groups >= 1 else { throw .attribute("group", because: "is \(groups), expected at least 1") }
        if let outputs = weights[0].fixed, outputs % groups != 0 {
            throw .extent(
                of: "weight", axis: 0, expected: "a multiple of \(groups)", got: "\(outputs)",
                because: "group")
        }
        if let perGroup = weights[1].fixed {
            let (channels, overflow) = perGroup.multipliedReportingOverflow(by: groups)
            guard !overflow else { throw .attribute("group", because: "is too large") }
            try x.expect(channels, along: 1, because: "group × weight's channels")
        }
    }

    private func expectBias(_ inputs: Inputs, _ x: Operand, _ weights: Shape) throws(Misfit) {
        guard let bias = try inputs.optional(2, "bias", rank: 1) else { return }
        try bias.expectSameElement(as: x)
        guard let outputs = weights[0].fixed else { return }
        let count = packed == nil ? outputs : paddedChannels(outputs)
        try bias.expect(count, along: 0, because: "one for each output channel")
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard packed == nil else { return .kernel(try ConvKernel(self, call)) }
        return .routine(try UnpackedConv(self, call))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        switch packed?.form {
        case nil: .rowMajor
        case .planes where resultLayout == .rowMajor: .rowMajor
        case .planesWinograd where resultLayout == .rowMajor: .rowMajor
        case .planes, .planesWinograd: .channelsLast(inputs: [3], outputs: [0])
        case .narrow where isDepthwise: .follow(inputs: [0, 3], outputs: [0])
        default: .channelsLast(inputs: [0, 3], outputs: [0])
        }
    }

    private func outputLayout(for x: TensorType) -> Layout {
        switch packed?.form {
        case nil: .rowMajor
        case .planes, .planesWinograd: resultLayout ?? .channelsLast
        case .narrow where isDepthwise: x.layout
        default: .channelsLast
        }
    }

    /// Whether each channel has its own output, and a kernel small enough to be run over row-major planes.
    private var isDepthwise: Bool {
        guard let extents = packed?.extents, extents.count <= 4, extents[1] == 1, extents[0] == groups else {
            return false
        }
        return (extents[2...] + window.dilations).allSatisfy { $0 <= 64 }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        let weights = packed?.extents ?? inputs[1]?.tensor?.extents ?? []
        guard let count = outputs[0]?.tensor?.elementCount, weights.count > 2 else { return 0 }
        return count.multipliedReportingOverflow(by: weights[1...].reduce(1, &*)).partialValue
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard packed == nil, activation == .none, !inputs.has(3) else {
            throw .unsupported("a fused convolution has no standard spelling")
        }
        let group: [(name: String, value: SourceAttribute)] = groups == 1 ? [] : [("group", .int(groups))]
        return WrittenNode("Conv", window.written + group, since: 1)
    }
}

extension Conv {
    /// Reads ONNX's Conv (all versions mean the same) and its form with an activation.
    init(onnx node: SourceNode) throws(Misfit) {
        window = try Window(onnx: node)
        groups = try node.int("group", default: 1)
    }
}

extension Conv: ResultLayoutChoosing {
    package func giving(_ layout: Layout) -> (any Operator)? {
        guard let packed, packed.readsPlanes else { return nil }
        var op = self
        op.resultLayout = layout
        return op
    }
}
