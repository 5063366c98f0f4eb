internal import CKernels
package import DCNGraph

/// Trailing axes moved to mean 0 and stretched to variance 1.
///
///     y = (x − mean) / √(variance + epsilon) · scale + bias            plain
///     y = x / √(mean of x² + epsilon) · scale                          simplified (RMSNormalization)
///
/// Inputs: X, scale, bias (none where simplified), both broadcast to X. Outputs: Y; then, where wanted, mean (not where
/// simplified) and the factor `1 / √…`, float32 with extent 1 along the normalised axes.
/// What is not finite makes its whole row NaN; simplified, an infinity alone NaN and the rest of its row 0.
/// A variance beyond the greatest number is infinite, and y the bias then.
package struct LayerNormalization: Operator {
    package static let name = "LayerNormalization"
    /// The first normalised axis, negative ones from the back.
    package var axis: Int
    /// Added below the root.
    package var epsilon: Float
    /// Whether nothing is subtracted.
    package var isSimplified: Bool
    /// The type that statistics are given in.
    package var statistics: ElementType

    package init(
        axis: Int = -1, epsilon: Float = 1e-5, isSimplified: Bool = false, statistics: ElementType = .float32
    ) {
        self.axis = axis
        self.epsilon = epsilon
        self.isSimplified = isSimplified
        self.statistics = statistics
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        let scale = try inputs.required(1, "scale")
        try scale.expect(ElementType.reals)
        let bias = try inputs.optional(2, "bias")
        try bias?.expect(ElementType.reals)
        guard var shape = x.shape else {
            return types(TensorType(scale.element, nil), TensorType(statistics, nil), inputs.outputCount)
        }
        let first = try resolvedAxis(axis, rank: shape.rank)
        for operand in [scale, bias] {
            try operand.map { (operand) throws(Misfit) in try expectBroadcast(operand, to: shape) }
        }
        let y = TensorType(isSimplified ? scale.element : x.element, shape)
        for axis in first..<shape.rank { shape[axis] = 1 }
        return types(y, TensorType(statistics, shape), inputs.outputCount)
    }

    private func types(_ y: TensorType, _ statistic: TensorType, _ count: Int) -> [ValueType] {
        let all = [y, statistic] + (isSimplified ? [] : [statistic])
        return all.prefix(max(1, count)).map { .tensor($0) }
    }

    private func expectBroadcast(_ operand: Operand, to shape: Shape) throws(Misfit) {
        guard let own = operand.shape else { return }
        guard own.rank <= shape.rank else {
            throw .rank(of: operand.name, expected: "at most \(shape.rank)", got: own.rank)
        }
        for axis in 0..<own.rank where own[axis] != 1 {
            try operand.expect(
                shape[shape.rank - own.rank + axis], along: axis, because: "it is broadcast to X")
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let elements = try call.realElements([0, 1] + (call.has(2) ? [2] : []), of: "LayerNormalization")
        for index in call.outputs.indices.dropFirst() where call.outputs[index] != nil {
            guard try call.output(index).element == .float32 else {
                throw .unsupported("statistics as \(try call.output(index).element)")
            }
        }
        let plan = try RowNormalization(self, call)
        if let kernel = try plan.vectorKernel(elements, call) { return .kernel(kernel) }
        let isDouble = try call.output(0).element == .float64
        return .kernel(
            elements[0] == .float32
                ? (isDouble
                    ? plan.kernel(elements, Float.self, Double.self)
                    : plan.kernel(elements, Float.self, Float.self))
                : (isDouble
                    ? plan.kernel(elements, Double.self, Double.self)
                    : plan.kernel(elements, Double.self, Float.self)))
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("axis", .int(axis)), ("epsilon", .float(epsilon)),
        ]
        if statistics != .float32 { attributes.append(("stash_type", .int(statistics.rawValue))) }
        guard isSimplified else { return WrittenNode("LayerNormalization", attributes, since: 17) }
        guard inputs.outputCount < 2 else { throw .unsupported("RMSNormalization that gives its factor") }
        return WrittenNode("RMSNormalization", attributes, since: 23)
    }
}
