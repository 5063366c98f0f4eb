package import DCNGraph

/// A convolution of each channel with a row of its own that looks at no later position.
///
///     y[b, c, t] = f(bias[c] + Σ w[c, 0, j] · z[b, c, t + j]),   z = state before, then x
///
/// Inputs: x [B, C, L], w [C, 1, k], bias [C]?, the state before [B, C, k − 1]? (else zeros).
/// Outputs: y [B, C, L], the state after: the last k − 1 positions of z. What is not finite reaches the k positions
/// of its channel that look at it, and no other; f is 0 at −∞.
package struct CausalConvWithState: Operator {
    package static let name = "CausalConvWithState"
    /// Whether f is x / (1 + e^−x); else it changes nothing.
    package var hasSwish: Bool

    package init(hasSwish: Bool = false) { self.hasSwish = hasSwish }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input", rank: 3)
        let weight = try inputs.required(1, "weight", rank: 3)
        try x.expect([.float32, .float16, .bfloat16])
        try weight.expectSameElement(as: x)
        try weight.expect(x.dimension(1), along: 0, because: "one row for each channel")
        try weight.expect(1, along: 1, because: "each channel has its own row")
        if weight.dimension(2).fixed == 0 {
            throw .extent(of: "weight", axis: 2, expected: "1 or more", got: "0", because: "")
        }
        if let bias = try inputs.optional(2, "bias", rank: 1) {
            try bias.expectSameElement(as: x)
            try bias.expect(x.dimension(1), along: 0, because: "one for each channel")
        }
        let before = weight.dimension(2).fixed.map { Dimension.fixed($0 - 1) } ?? .unknown
        let state = [x.dimension(0), x.dimension(1), before]
        if let past = try inputs.optional(3, "past_state", rank: 3) {
            try past.expectSameElement(as: x)
            for (axis, extent) in state.enumerated() {
                try past.expect(extent, along: axis, because: "batch, channels, and one less than the row")
            }
        }
        let shapes = [Shape((0..<3).map { x.dimension($0) }), Shape(state)]
        return shapes.prefix(max(1, inputs.outputCount)).map { .tensor(TensorType(x.element, $0)) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let element = try call.input(0).element
        guard element == .float32 else { throw noKernel(Self.name, for: element) }
        let x = try call.extents(0)
        let taps = try call.extents(1)[2]
        let plan = CausalRows(
            channels: x[1], length: x[2], taps: taps, hasSwish: hasSwish, hasBias: call.has(2),
            hasPast: call.has(3))
        let tiling = Tiling(x[0] * x[1], cost: (x[2] + taps) * max(1, taps / 8))
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                for row in tiling[tile] { plan.run(row, frame) }
            })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard inputs.count > 1, let x = inputs[0]?.tensor?.elementCount, let w = inputs[1]?.tensor?.extents
        else { return 0 }
        return x.multipliedReportingOverflow(by: w.last ?? 0).partialValue
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, hasSwish ? [("activation", .string(ByteString("silu")))] : [], since: 27)
    }
}

extension CausalConvWithState {
    /// Reads ONNX's CausalConvWithState.
    init(onnx node: SourceNode) throws(Misfit) {
        switch try node.string("activation", default: "none") {
        case "none": hasSwish = false
        case "silu", "swish": hasSwish = true
        case let other:
            throw .attribute(
                "activation", because: "is '\(escaped(other))', expected none, silu or swish")
        }
    }
}

/// Rows of a causal convolution, one for each channel of each picture.
private struct CausalRows: Sendable {
    let channels, length, taps: Int
    let hasSwish, hasBias, hasPast: Bool

    func run(_ row: Int, _ frame: Frame) {
        let before = taps - 1
        let x = frame.input(0, as: Float.self) + row * length
        let weight = frame.input(1, as: Float.self) + row % channels * taps
        let past = hasPast ? frame.optionalInput(3, as: Float.self).map { $0 + row * before } : nil
        let y = frame.output(0, as: Float.self) + row * length
        let bias = hasBias ? frame.input(2, as: Float.self)[row % channels] : 0
        y.update(repeating: bias, count: length)
        for tap in 0..<taps {
            let first = min(length, before - tap)
            let factor = weight[tap]
            if let past { for t in 0..<first { y[t] += factor * past[t + tap] } }
            for t in first..<max(first, length) { y[t] += factor * x[t + tap - before] }
        }
        if hasSwish {
            for t in 0..<length {
                let gate = logistic(Double(y[t]))
                y[t] = gate == 0 ? 0 : Float(Double(y[t]) * gate)
            }
        }
        guard let state = frame.optionalOutput(1, as: Float.self).map({ $0 + row * before }) else { return }
        for place in 0..<before {
            let source = place + length
            state[place] = source < before ? past?[source] ?? 0 : x[source - before]
        }
    }
}
