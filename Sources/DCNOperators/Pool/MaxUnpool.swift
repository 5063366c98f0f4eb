package import DCNGraph

/// Values put back where a maximum pooling took them from; zeros elsewhere.
///
/// Inputs: X `[N, C, …]`, positions (int64, as X, within the flattened tensor that was pooled), output_shape (int64) or left out.
/// Without output_shape an extent is `(X − 1) · stride − pads + kernel`; a bigger output_shape appends zeros. Values
/// are copied bit by bit, of two at one position the later; positions that do not exist are errors of the run.
package struct MaxUnpool: Operator {
    package static let name = "MaxUnpool"
    /// The window of the pooling.
    package var window: PoolWindow

    package init(_ window: PoolWindow) { self.window = window }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        let positions = try inputs.required(1, "I")
        try positions.expect([.int64])
        try window.check()
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank == window.kernel.count + 2 else {
            throw .rank(of: "X", expected: "\(window.kernel.count + 2)", got: shape.rank)
        }
        try positions.expectRank(shape.rank)
        for axis in 0..<shape.rank { try positions.expect(shape[axis], along: axis, because: "as X") }
        guard let target = try inputs.optional(2, "output_shape", rank: 1) else {
            return [.tensor(TensorType(x.element, try inferred(shape)))]
        }
        try target.expect([.int64])
        guard let dimensions = target.dimensions else {
            return [
                .tensor(TensorType(x.element, Shape([Dimension](repeating: .unknown, count: shape.rank))))
            ]
        }
        guard dimensions.count == shape.rank else {
            throw .value(
                of: "output_shape", because: "has \(dimensions.count) entries, expected \(shape.rank)")
        }
        return [.tensor(TensorType(x.element, Shape(dimensions)))]
    }

    private func inferred(_ shape: Shape) throws(Misfit) -> Shape {
        var result = shape
        for axis in window.kernel.indices {
            guard let extent = shape[axis + 2].fixed else {
                result[axis + 2] = .unknown
                continue
            }
            let pads = window.pads.isEmpty ? 0 : window.pads[axis] + window.pads[axis + window.kernel.count]
            let stride = window.strides.isEmpty ? 1 : window.strides[axis]
            let (steps, overflow) = (extent - 1).multipliedReportingOverflow(by: stride)
            guard !overflow, steps < 1 << 40 else {
                throw .limit(of: "an extent", asked: steps, limit: 1 << 40)
            }
            result[axis + 2] = .fixed(max(0, steps - pads + window.kernel[axis]))
        }
        return result
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let output = try call.output(0).extents else { return .routine(lateRoutine(self)) }
        let extents = try call.extents(0)
        let natural = try inferred(Shape(extents)).fixed ?? output
        let plan = Scatter(count: extents.reduce(1, *), natural: natural, output: output)
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case let element: throw .unsupported("MaxUnpool on \(element)")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("MaxUnpool", window.attributes, since: 9)
    }

    private struct Scatter: Sendable {
        let count: Int
        let natural, output: [Int]

        /// Positions count in the natural extents; where the output has others, they are spread.
        private func place(_ position: Int) -> Int? {
            guard natural != output else { return position }
            var rest = position
            var (place, stride) = (0, 1)
            for axis in natural.indices.reversed() {
                let index = rest % max(1, natural[axis])
                rest /= max(1, natural[axis])
                guard index < output[axis] else { return nil }
                place += index * stride
                stride *= output[axis]
            }
            return place
        }

        func kernel<T: BinaryFloatingPoint & Sendable>(_ type: T.Type) -> TileKernel {
            let plan = self
            let cells = Int64(natural.reduce(1, *))
            let total = output.reduce(1, *)
            let check: @Sendable (Frame) -> Misfit? = { frame in
                let positions = frame.input(1, as: Int64.self)
                for index in 0..<plan.count where positions[index] < 0 || positions[index] >= cells {
                    return .value(of: "I", because: "has \(positions[index]), expected 0 … \(cells - 1)")
                }
                return nil
            }
            return TileKernel(tiles: total > 0 ? 1 : 0, check: check) { (_, frame) in
                let (x, y) = (frame.input(0, as: T.self), frame.output(0, as: T.self))
                y.update(repeating: 0, count: total)
                let positions = frame.input(1, as: Int64.self)
                for index in 0..<plan.count {
                    if let place = plan.place(Int(positions[index])) { y[place] = x[index] }
                }
            }
        }
    }
}
