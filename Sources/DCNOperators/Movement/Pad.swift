package import DCNGraph

/// Adds elements before and after, negative counts take some away: inputs data, pads (all befores, then all afters),
/// value, axes.
package struct Pad: MovementOperator {
    package static let name = "Pad"

    /// What stands in the added elements.
    package enum Mode: String, Sendable, Hashable, Codable {
        /// The value of input 2, zero when it is left out.
        case constant
        /// The data mirrored at its outermost elements, which are not repeated.
        case reflect
        /// The outermost elements.
        case edge
        /// The data again, from the other end.
        case wrap
    }

    /// What stands in the added elements.
    package var mode: Mode

    package init(mode: Mode = .constant) { self.mode = mode }

    package var settling: [Int] { [1, 3] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        try checkValue(inputs, data)
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        guard let pads = try pads(inputs, rank: shape.rank) else {
            return [.tensor(TensorType(data.element, .unknown(rank: shape.rank), layout: data.type.layout))]
        }
        var result = shape
        for axis in 0..<shape.rank {
            result[axis] = .sum([shape[axis], pads.before[axis], pads.after[axis]])
            if let extent = result[axis].fixed, extent < 0 {
                throw .value(of: "pads", because: "takes more than there is along axis \(axis)")
            }
            if mode != .constant, shape[axis] == 0, let extent = result[axis].fixed, extent > 0 {
                throw .value(of: "pads", because: "adds along axis \(axis), where there is nothing to repeat")
            }
        }
        return [.tensor(TensorType(data.element, result, layout: data.type.layout))]
    }

    private func checkValue(_ inputs: Inputs, _ data: Operand) throws(Misfit) {
        guard let value = try inputs.optional(2, "constant_value") else { return }
        try value.expectSameElement(as: data)
        guard let extents = value.shape?.fixed, elementCount(of: extents) != 1 else { return }
        throw .value(of: "constant_value", because: "has shape \(Shape(extents)), expected one element")
    }

    /// Pads of all axes; nil while they are not known.
    private func pads(
        _ inputs: Inputs, rank: Int
    ) throws(Misfit) -> (before: [Dimension], after: [Dimension])? {
        let pads = try inputs.required(1, "pads")
        try pads.expect([.int64])
        let axes = try inputs.optional(3, "axes", rank: 1)
        try axes?.expectIndices()
        var chosen = Array(0..<rank)
        if let axes {
            guard let integers = axes.integers else { return nil }
            chosen = try resolvedAxes(integers, rank: rank)
        }
        guard let given = pads.dimensions else { return nil }
        guard given.count == 2 * chosen.count else {
            throw .value(of: "pads", because: "holds \(given.count) numbers, expected \(2 * chosen.count)")
        }
        var before = [Dimension](repeating: 0, count: rank)
        var after = before
        for (index, axis) in chosen.enumerated() {
            before[axis] = given[index]
            after[axis] = given[index + chosen.count]
        }
        return (before, after)
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let input = try call.input(0)
        let extents = try call.extents(0)
        let known = try pads(Inputs(call.inputs, constants: call.constants), rank: extents.count)
        guard let known, let before = Shape(known.before).fixed else { throw .missing("the value of pads") }
        let output = TensorType(input.element, Shape(try call.outputExtents(0)), layout: input.layout)
        if mode == .constant {
            let moves = constantMoves(input, output, before, value: call.has(2) ? 2 : nil)
            return MoveKernel(width: input.element.byteWidth, moves, on: call.instructionSet)
        }
        return RemapKernel(input, output, sources: sources(extents, output.extents ?? [], before))
    }

    /// The kept part, and slabs that cover the rest of the output without overlap.
    private func constantMoves(_ input: TensorType, _ output: TensorType, _ before: [Int], value: Int?)
        -> [Move]
    {
        guard let from = input.extents, let to = output.extents else { return [] }
        let lying = output.strides
        let starts = before.map { max(0, $0) }
        let ends = from.indices.map { max(starts[$0], min(to[$0], before[$0] + from[$0])) }
        var moves: [Move] = []
        func fill(_ ranges: [Range<Int>]) {
            let target = zip(ranges, lying).reduce(0) { $0 + $1.0.lowerBound * $1.1 }
            moves.append(
                Move(
                    input: value, target: target, extents: ranges.map(\.count),
                    sourceStrides: ranges.map { _ in 0 }, targetStrides: lying))
        }
        var ranges = to.map { 0..<$0 }
        for axis in to.indices {
            for slab in [0..<min(starts[axis], to[axis]), min(ends[axis], to[axis])..<to[axis]]
            where !slab.isEmpty {
                ranges[axis] = slab
                fill(ranges)
            }
            ranges[axis] = min(starts[axis], to[axis])..<min(ends[axis], to[axis])
        }
        let source = zip(before, input.strides).reduce(0) { $0 + max(0, -$1.0) * $1.1 }
        let target = zip(ranges, lying).reduce(0) { $0 + $1.0.lowerBound * $1.1 }
        moves.append(
            Move(
                input: 0, source: source, target: target, extents: ranges.map(\.count),
                sourceStrides: input.strides, targetStrides: lying))
        return moves + [output.paddingMove(output: 0)].compactMap { $0 }
    }

    /// For each axis, which input index each output index takes.
    private func sources(_ from: [Int], _ to: [Int], _ before: [Int]) -> [[Int]] {
        from.indices.map { axis in
            let extent = from[axis]
            guard extent > 0 else { return [] }
            return (0..<to[axis]).map { source($0 - before[axis], extent) }
        }
    }

    private func source(_ position: Int, _ extent: Int) -> Int {
        func modulo(_ value: Int, _ period: Int) -> Int { (value % period + period) % period }
        switch mode {
        case .reflect where extent > 1:
            let turned = modulo(position, 2 * extent - 2)
            return turned < extent ? turned : 2 * extent - 2 - turned
        case .wrap: return modulo(position, extent)
        default: return min(max(position, 0), extent - 1)
        }
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard mode == .constant, let known = inputs.knownList(0), inputs.knownRank(0) == 1,
            let pads = try? pads(inputs, rank: 1), let before = pads.before[0].fixed,
            let after = pads.after[0].fixed,
            before >= 0, after >= 0, before <= 64, after <= 64
        else { return [nil] }
        let value: Dimension = inputs.has(2) ? inputs.knownList(2)?.first ?? .unknown : 0
        return [Array(repeating: value, count: before) + known + Array(repeating: value, count: after)]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "Pad", [("mode", .string(ByteString(mode.rawValue)))],
            since: mode == .wrap ? 19 : inputs.has(3) ? 18 : 11)
    }
}
