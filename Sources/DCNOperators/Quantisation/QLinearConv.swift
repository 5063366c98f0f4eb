package import DCNGraph

/// A convolution of quantised operands, quantised again:
///
///     y = saturate(round((Σ (x − zero) (w − zero) + bias) · scale of x · scale of w / scale of y) + zero of y)
///
/// Operands: x, its scale and zero, w, its scale and zero, scale and zero of y, bias. A quotient that is NaN gives
/// the zero point, and infinite ones the bounds, where scales are 0 or not finite.
package struct QLinearConv: Operator {
    package static let name = "QLinearConv"
    /// How the kernel moves.
    package var window: Window
    /// Channels are split into so many independent convolutions.
    package var groups: Int
    package init(_ window: Window = Window(), groups: Int = 1) {
        self.window = window
        self.groups = groups
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let weight = try inputs.required(3, "w")
        let zero = try inputs.required(7, "y_zero_point")
        try zero.expect([.int8, .uint8])
        try inputs.required(2, "x_zero_point").expectSameElement(as: x)
        try inputs.required(5, "w_zero_point").expectSameElement(as: weight)
        for (index, name) in [(1, "x_scale"), (4, "w_scale"), (6, "y_scale")] {
            try inputs.required(index, name).expect([.float32])
        }
        if let bias = try inputs.optional(8, "B", rank: 1) {
            try bias.expect([.int32])
            try bias.expect(weight.dimension(0), along: 0, because: "the output channels of w")
        }
        return [.tensor(try convolutionType(x, weight, window, groups: groups, zero.element))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (x, weight) = (try call.input(0), try call.input(3))
        let convolution = try IntegerConvolution(x, weight, window, groups: groups)
        let scales = try Scales(
            call, a: 1, b: 4, y: 6, try IntegerProduct([1, 1], [1, convolution.outputChannels]))
        let weightZeros = try zeroPoints(call, 5, convolution.outputChannels)
        let signs = (x.element == .int8, weight.element == .int8, try call.output(0).element == .int8)
        let tiling = Tiling(
            convolution.images * convolution.outputChannels, cost: max(1, convolution.planeCost / 8))
        return .kernel(
            TileKernel(tiles: tiling.tiles, scratch: convolution.plane * 4) { tile, frame in
                let sums = frame.scratch(as: Int32.self)
                let zero = byte(frame.input(7, as: UInt8.self), 0, isSigned: signs.2)
                for unit in tiling[tile] {
                    let (n, o) = unit.quotientAndRemainder(dividingBy: convolution.outputChannels)
                    convolution.sum(
                        n, o, x: frame.input(0, as: UInt8.self),
                        xZero: byte(frame.input(2, as: UInt8.self), 0, isSigned: signs.0),
                        weight: frame.input(3, as: UInt8.self),
                        weightZero: byte(
                            frame.input(5, as: UInt8.self), weightZeros == 1 ? 0 : o, isSigned: signs.1),
                        into: sums)
                    let bias = frame.optionalInput(8, as: Int32.self)?[o] ?? 0
                    let factor = scales.factor(frame, line: 0, column: o)
                    let y = frame.output(0, as: UInt8.self) + unit * convolution.plane
                    for index in 0..<convolution.plane {
                        y[index] = requantised(sums[index] &+ bias, factor, zero, isSigned: signs.2)
                    }
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, window.written + [("group", .int(groups))], since: 10)
    }
}
