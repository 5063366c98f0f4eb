package import DCNGraph

/// The convolution of (x − zero) and (w − zero) of bytes, in int32, wrapping.
package struct ConvInteger: Operator {
    package static let name = "ConvInteger"
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
        let weight = try inputs.required(1, "w")
        try inputs.optional(2, "x_zero_point")?.expectSameElement(as: x)
        try inputs.optional(3, "w_zero_point")?.expectSameElement(as: weight)
        return [.tensor(try convolutionType(x, weight, window, groups: groups, .int32))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (x, weight) = (try call.input(0), try call.input(1))
        let convolution = try IntegerConvolution(x, weight, window, groups: groups)
        let xZeros = try zeroPoints(call, 2, 1)
        let weightZeros = try zeroPoints(call, 3, convolution.outputChannels)
        let signs = (x.element == .int8, weight.element == .int8)
        let tiling = Tiling(
            convolution.images * convolution.outputChannels, cost: max(1, convolution.planeCost / 8))
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                for unit in tiling[tile] {
                    let (n, o) = unit.quotientAndRemainder(dividingBy: convolution.outputChannels)
                    let xZero = xZeros == 0 ? 0 : byte(frame.input(2, as: UInt8.self), 0, isSigned: signs.0)
                    let weightZero =
                        weightZeros == 0
                        ? 0
                        : byte(frame.input(3, as: UInt8.self), weightZeros == 1 ? 0 : o, isSigned: signs.1)
                    convolution.sum(
                        n, o, x: frame.input(0, as: UInt8.self), xZero: xZero,
                        weight: frame.input(1, as: UInt8.self),
                        weightZero: weightZero,
                        into: frame.output(0, as: Int32.self) + unit * convolution.plane)
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, window.written + [("group", .int(groups))], since: 10)
    }
}

/// How many zero points an input has: none, one, or one for each channel.
func zeroPoints(_ call: Call, _ index: Int, _ channels: Int) throws(Misfit) -> Int {
    guard call.has(index), let count = try call.input(index).elementCount else { return 0 }
    guard count == 1 || count == channels else {
        throw .value(of: "input \(index)", because: "has \(count) zero points, expected 1 or \(channels)")
    }
    return count
}
