package import DCNGraph

/// Crops or zero-pads around the middle to the extents of input 1; odd differences go to the end when padding, and
/// leave the start rounded down when cropping.
package struct CenterCropPad: MovementOperator {
    package static let name = "CenterCropPad"
    /// The axes that input 1 speaks of; nil for all.
    package var axes: [Int]?

    package init(axes: [Int]? = nil) { self.axes = axes }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input_data")
        let target = try inputs.required(1, "shape", rank: 1)
        try target.expectIndices()
        guard var shape = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        let chosen =
            try axes.map { axes throws(Misfit) in try resolvedAxes(axes, rank: shape.rank) }
            ?? Array(0..<shape.rank)
        if let length = target.length, length != chosen.count {
            throw .value(of: "shape", because: "holds \(length) numbers, expected \(chosen.count)")
        }
        for (index, axis) in chosen.enumerated() {
            shape[axis] = target.dimensions?[index] ?? .unknown
            if let extent = shape[axis].fixed, extent < 0 {
                throw .value(of: "shape", because: "holds \(extent), expected 0 or more")
            }
        }
        return [.tensor(TensorType(data.element, shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let input = try call.input(0)
        let from = try call.extents(0)
        let to = try call.outputExtents(0)
        let strides = input.strides
        let lying = rowMajorStrides(to)
        var moves: [Move] = []
        var ranges = to.map { 0..<$0 }
        var source = 0
        for axis in to.indices {
            let before = max(0, (to[axis] - from[axis]) / 2)
            let kept = before..<(before + min(from[axis], to[axis]))
            source += max(0, (from[axis] - to[axis]) / 2) * strides[axis]
            for slab in [0..<kept.lowerBound, kept.upperBound..<to[axis]] where !slab.isEmpty {
                ranges[axis] = slab
                moves.append(move(nil, 0, ranges, ranges.map { _ in 0 }, lying))
            }
            ranges[axis] = kept
        }
        moves.append(move(0, source, ranges, strides, lying))
        return MoveKernel(width: input.element.byteWidth, moves, on: call.instructionSet)
    }

    private func move(
        _ input: Int?, _ source: Int, _ ranges: [Range<Int>], _ strides: [Int], _ lying: [Int]
    ) -> Move {
        Move(
            input: input, source: source,
            target: zip(ranges, lying).reduce(0) { $0 + $1.0.lowerBound * $1.1 },
            extents: ranges.map(\.count), sourceStrides: strides, targetStrides: lying)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("CenterCropPad", axes.map { [("axes", .ints($0))] } ?? [], since: 18)
    }
}
