internal import CKernels
package import DCNGraph

/// Each channel moved and stretched by its statistics.
///
///     y = scale · (x − mean) / √(variance + epsilon) + bias
///
/// Inputs: X `[N, C, …]`, scale, B, mean, variance, each `[C]` (or `[C, …]` where not `spatial`). When training, mean and
/// variance are those of the batch (of the population), and the second and third output are the given ones moved
/// toward them: `given · momentum + batch · (1 − momentum)`. What is not finite touches no other element, when training none
/// of another channel.
package struct BatchNormalization: Operator {
    package static let name = "BatchNormalization"
    /// Added to the variance.
    package var epsilon: Float
    /// How much of the given statistics stays when training.
    package var momentum: Float
    /// Whether statistics are those of the batch.
    package var isTraining: Bool
    /// Whether parameters are one for each channel, not for each element of an item.
    package var isSpatial: Bool

    package init(
        epsilon: Float = 1e-5, momentum: Float = 0.9, isTraining: Bool = false, isSpatial: Bool = true
    ) {
        self.epsilon = epsilon
        self.momentum = momentum
        self.isTraining = isTraining
        self.isSpatial = isSpatial
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        if let rank = x.rank, rank < 1 { throw .rank(of: "X", expected: "1 or more", got: rank) }
        var operands: [Operand] = []
        for (index, name) in ["scale", "B", "mean", "var"].enumerated() {
            let operand = try inputs.required(index + 1, name)
            try operand.expect(ElementType.reals)
            if isSpatial {
                try operand.expectRank(1)
                let channels: Dimension = x.rank == 1 ? 1 : x.dimension(1)
                try operand.expect(channels, along: 0, because: "one for each channel of X")
            }
            operands.append(operand)
        }
        guard inputs.outputCount > 1 else { return [.tensor(x.type)] }
        guard isTraining else { throw .unsupported("statistics of BatchNormalization that does not train") }
        return [.tensor(x.type), .tensor(operands[2].type), .tensor(operands[3].type)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard !isTraining, isSpatial, inputs.types.first??.tensor?.element == .float32 else {
            return .rowMajor
        }
        return .follow(inputs: [0], outputs: [0])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let shape = try ChannelShape(x, isSpatial: isSpatial)
        if !isSpatial { try checkElementwise(call, shape) }
        let elements = try call.realElements([0, 1, 2, 3, 4], of: "BatchNormalization")
        let simd = try Simd(call.instructionSet)
        if isTraining {
            let outputs = call.outputs.count
            return .kernel(
                elements[0] == .float32
                    ? training(shape, elements, outputs: outputs, Float.self)
                    : training(shape, elements, outputs: outputs, Double.self))
        }
        guard elements[0] == .float32, simd.table.pointee.scale_shift_rows_f32 != nil else {
            guard x.layout == .rowMajor else { throw .unsupported("BatchNormalization of \(x)") }
            return .kernel(
                elements[0] == .float32
                    ? plain(shape, elements, Float.self) : plain(shape, elements, Double.self))
        }
        let isLast = x.layout == .channelsLast || shape.plane == 1
        return .kernel(isLast ? columns(shape, x, elements, simd) : rows(shape, elements, simd))
    }

    private func checkElementwise(_ call: Call, _ shape: ChannelShape) throws(Misfit) {
        for index in 1...4 where try call.input(index).elementCount != shape.channels {
            throw .value(
                of: "input \(index)", because: "does not have one value for each element of an item of X")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard isSpatial else {
            throw .unsupported("BatchNormalization with spatial = 0 has no spelling since version 9")
        }
        var attributes: [(name: String, value: SourceAttribute)] = [("epsilon", .float(epsilon))]
        if isTraining { attributes += [("momentum", .float(momentum)), ("training_mode", .int(1))] }
        return WrittenNode("BatchNormalization", attributes, since: isTraining ? 14 : 9)
    }
}

/// A tensor as items of channels of planes.
struct ChannelShape: Sendable, Hashable {
    let items, channels, plane: Int

    /// N × C × the rest; where not spatial, every element of an item is a channel.
    init(_ type: TensorType, isSpatial: Bool = true) throws(Misfit) {
        guard let extents = type.extents else { throw .missing("the shape of X") }
        let rest = extents.dropFirst(2).reduce(1, *)
        items = extents.first ?? 1
        channels = (extents.count > 1 ? extents[1] : 1) * (isSpatial ? 1 : rest)
        plane = isSpatial ? rest : 1
    }

    /// How many rows of one channel of one item there are.
    var rows: Int { items * channels }
}
