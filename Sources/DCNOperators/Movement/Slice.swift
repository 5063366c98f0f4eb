package import DCNGraph

/// A part with steps: inputs data, starts, ends, axes, steps. Negative positions count from the end; out-of-range
/// ones are clamped; negative steps walk backwards.
package struct Slice: MovementOperator {
    package static let name = "Slice"
    package init() {}

    package var settling: [Int] { [1, 2, 3, 4] }

    /// The cut along one axis: `count` indices from `start` in steps of `step`.
    struct Cut: Sendable, Hashable {
        var start: Int
        var step: Int
        var count: Int

        /// The cut that `start`, `end` and `step` (not 0) make of an extent.
        init(start: Int, end: Int, step: Int, extent: Int) {
            func counted(_ position: Int) -> Int { position < 0 ? position &+ extent : position }
            self.step = step
            if step > 0 {
                let first = min(max(counted(start), 0), extent)
                let last = min(max(counted(end), 0), extent)
                self.start = first
                count = last > first ? (last - first - 1) / step + 1 : 0
            } else {
                let first = min(max(counted(start), 0), extent - 1)
                let last = min(max(counted(end), -1), extent - 1)
                self.start = max(first, 0)
                count = first > last ? (first - last - 1) / Int(clamping: step.magnitude) + 1 : 0
            }
        }
    }

    /// The integers of the operands, one entry per sliced axis.
    private struct Bounds {
        var starts: [Dimension]?
        var ends: [Dimension]?
        var axes: [Int]?
        var steps: [Dimension]?
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let bounds = try bounds(inputs, rank: data.rank)
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        guard let axes = bounds.axes else {
            return [.tensor(TensorType(data.element, .unknown(rank: shape.rank), layout: data.type.layout))]
        }
        var result = shape
        for (index, axis) in axes.enumerated() {
            result[axis] = try length(shape[axis], bounds, index)
        }
        return [.tensor(TensorType(data.element, result, layout: data.type.layout))]
    }

    private func bounds(_ inputs: Inputs, rank: Int?) throws(Misfit) -> Bounds {
        let starts = try inputs.required(1, "starts", rank: 1)
        let ends = try inputs.required(2, "ends", rank: 1)
        let axes = try inputs.optional(3, "axes", rank: 1)
        let steps = try inputs.optional(4, "steps", rank: 1)
        for operand in [starts, ends, axes, steps].compactMap({ $0 }) { try operand.expectIndices() }
        let counts = (try starts.axisCount(), try ends.axisCount())
        guard let count = counts.0 ?? counts.1 else { return Bounds() }
        for operand in [starts, ends, axes, steps].compactMap({ $0 }) {
            guard let got = operand.length, got != count else { continue }
            throw .value(of: operand.name, because: "holds \(got) numbers, expected \(count) as starts")
        }
        var bounds = Bounds(
            starts: starts.dimensions, ends: ends.dimensions, axes: nil, steps: steps?.dimensions)
        if steps == nil { bounds.steps = Array(repeating: 1, count: count) }
        guard let rank else { return bounds }
        if let given = axes == nil ? Array(0..<count) : axes?.integers {
            bounds.axes = try resolvedAxes(given, rank: rank)
        }
        return bounds
    }

    private func length(_ extent: Dimension, _ bounds: Bounds, _ index: Int) throws(Misfit) -> Dimension {
        guard let starts = bounds.starts, let ends = bounds.ends, let steps = bounds.steps,
            let step = steps[index].fixed
        else { return .unknown }
        if step == 0 { throw .value(of: "steps", because: "holds 0") }
        if let start = starts[index].fixed, let end = ends[index].fixed, let known = extent.fixed {
            return .fixed(Cut(start: start, end: end, step: step, extent: known).count)
        }
        let reachesEnd = ends[index] == extent || ends[index].fixed.map { $0 >= 1 << 31 - 1 } ?? false
        return starts[index] == 0 && reachesEnd && step == 1 && extent != .unknown ? extent : .unknown
    }

    /// The cut along each axis, all values known.
    private func cuts(_ inputs: Inputs, of extents: [Int]) throws(Misfit) -> [Cut] {
        let bounds = try bounds(inputs, rank: extents.count)
        var cuts = extents.map { Cut(start: 0, end: $0, step: 1, extent: $0) }
        guard let axes = bounds.axes, let starts = bounds.starts, let ends = bounds.ends,
            let steps = bounds.steps
        else { throw .missing("the values of starts and ends") }
        for (index, axis) in axes.enumerated() {
            guard let start = starts[index].fixed, let end = ends[index].fixed, let step = steps[index].fixed,
                step != 0
            else { throw .missing("the values of starts and ends") }
            cuts[axis] = Cut(start: start, end: end, step: step, extent: extents[axis])
        }
        return cuts
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let input = try call.input(0)
        let output = TensorType(input.element, Shape(try call.outputExtents(0)), layout: input.layout)
        let cuts = try cuts(Inputs(call.inputs, constants: call.constants), of: try call.extents(0))
        let strides = input.strides
        let counts = cuts.map(\.count)
        guard counts.allSatisfy({ $0 > 0 }) else { return MoveKernel(width: 1, [], on: call.instructionSet) }
        let move = Move(
            input: 0, source: zip(cuts, strides).reduce(0) { $0 + $1.0.start * $1.1 }, extents: counts,
            sourceStrides: zip(cuts, strides).map { $0.count > 1 ? $0.step * $1 : 0 },
            targetStrides: output.strides)
        let moves = [move] + [output.paddingMove(output: 0)].compactMap { $0 }
        return MoveKernel(width: input.element.byteWidth, moves, on: call.instructionSet)
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let known = inputs.knownList(0), let extents = inputs.knownExtents(0, count: known.count),
            let cuts = try? cuts(inputs, of: extents)
        else { return [nil] }
        let strides = rowMajorStrides(extents)
        let places = positions(
            cuts.map(\.count), strides: zip(cuts, strides).map { $0.step * $1 },
            from: zip(cuts, strides).reduce(0) { $0 + $1.0.start * $1.1 })
        return [places.map { known[$0] }]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Slice", since: 10)
    }
}
