package import DCNGraph

/// Parts along `axis`: of the lengths in input 1, else as many equal ones as there are outputs, the last one shorter.
package struct Split: MovementOperator {
    package static let name = "Split"
    /// -rank … rank - 1.
    package var axis: Int
    /// How many parts there are, when said; the extent need not be divisible then.
    package var parts: Int?

    package init(axis: Int = 0, parts: Int? = nil) {
        self.axis = axis
        self.parts = parts
    }

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let split = try inputs.optional(1, "split", rank: 1)
        try split?.expect([.int64])
        if let parts, split != nil {
            throw .attribute("num_outputs", because: "is \(parts) beside the input split")
        }
        if let parts, parts != inputs.outputCount {
            throw .attribute(
                "num_outputs", because: "is \(parts), but there are \(inputs.outputCount) outputs")
        }
        guard let shape = data.shape else {
            return Array(repeating: .tensor(TensorType(data.element, nil)), count: inputs.outputCount)
        }
        let along = try resolvedAxis(axis, rank: shape.rank)
        return try lengths(shape[along], split, inputs.outputCount).map { length in
            var part = shape
            part[along] = length
            return .tensor(TensorType(data.element, part, layout: data.type.layout))
        }
    }

    private func lengths(_ whole: Dimension, _ split: Operand?, _ count: Int) throws(Misfit) -> [Dimension] {
        if let split {
            guard let given = split.dimensions else { return Array(repeating: .unknown, count: count) }
            try check(given, whole, count)
            return given
        }
        guard let extent = whole.fixed, count > 0 else {
            return Array(repeating: count == 1 ? whole : .unknown, count: count)
        }
        let length = (extent + count - 1) / count
        if parts == nil, extent % count != 0 {
            throw .value(
                of: "input", because: "has \(extent) along the axis, which \(count) equal parts do not make")
        }
        return (0..<count).map { .fixed(max(0, min(length, extent - $0 * length))) }
    }

    private func check(_ given: [Dimension], _ whole: Dimension, _ count: Int) throws(Misfit) {
        guard given.count == count else {
            throw .value(of: "split", because: "holds \(given.count) lengths, expected \(count)")
        }
        if let negative = given.compactMap(\.fixed).first(where: { $0 < 0 }) {
            throw .value(of: "split", because: "holds \(negative), expected 0 or more")
        }
        if let sum = Dimension.sum(given).fixed, let extent = whole.fixed, sum != extent {
            throw .value(of: "split", because: "adds up to \(sum), expected \(extent)")
        }
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let input = try call.input(0)
        let extents = try call.extents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let types = try boundedOutputTypes(
            for: Inputs(call.inputs, constants: call.constants, outputCount: call.outputs.count))
        var moves: [Move] = []
        var start = 0
        for (index, type) in types.enumerated() {
            guard let part = type.tensor, let length = part.extents?[along] else {
                throw .missing("a part's shape")
            }
            defer { start += length }
            guard call.outputs[index] != nil, let lying = part.extents else { continue }
            moves.append(
                Move(
                    input: 0, output: index, source: start * input.strides[along], extents: lying,
                    sourceStrides: input.strides, targetStrides: part.strides))
            if let padding = part.paddingMove(output: index) { moves.append(padding) }
        }
        return MoveKernel(width: input.element.byteWidth, moves, on: call.instructionSet)
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        .follow(inputs: [0], outputs: Set(0..<inputs.outputCount))
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard inputs.knownRank(0) == 1, let known = inputs.knownList(0),
            let types = try? boundedOutputTypes(for: inputs)
        else { return [] }
        var rest = known[...]
        var parts: [[Dimension]?] = []
        for type in types {
            guard let length = type.tensor?.extents?.first, length <= rest.count else { return [] }
            parts.append(Array(rest.prefix(length)))
            rest = rest.dropFirst(length)
        }
        return parts
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        if inputs.has(1) { return WrittenNode("Split", [("axis", .int(axis))], since: 13) }
        return WrittenNode(
            "Split", [("axis", .int(axis)), ("num_outputs", .int(inputs.outputCount))], since: 18)
    }
}
