package import DCNGraph

/// x quantised to uint8 with the scale and zero point that its own range asks for, zero being part of the range:
///
///     scale = (max − min) / 255      zero = saturate(round(−min / scale))      y = saturate(round(x / scale) + zero)
///
/// Where all of x is 0, of which the standard says nothing, the scale is 1 as onnxruntime has it.
package struct DynamicQuantizeLinear: Operator {
    package static let name = "DynamicQuantizeLinear"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        try x.expect([.float32])
        return [
            .tensor(TensorType(.uint8, x.type.shape)), .tensor(TensorType(.float32, extents: [])),
            .tensor(TensorType(.uint8, extents: [])),
        ]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let count = try call.input(0).elementCount else { throw .missing("the shape of x") }
        // One tile: the range must be known before anything is written.
        return .kernel(
            TileKernel(tiles: 1) { _, frame in
                let x = UnsafeBufferPointer(start: frame.input(0, as: Float.self), count: count)
                var (low, high): (Float, Float) = (0, 0)
                for value in x {
                    if value < low { low = value }
                    if value > high { high = value }
                }
                let scale = high == low ? 1 : (high - low) / 255
                let wanted = -low / scale
                let zero = wanted.isNaN ? 0 : min(max(wanted, 0), 255).rounded(.toNearestOrEven)
                if let y = frame.optionalOutput(0, as: UInt8.self) {
                    for index in x.indices {
                        let whole = (x[index] / scale).rounded(.toNearestOrEven) + zero
                        y[index] = whole.isNaN ? UInt8(zero) : UInt8(min(max(whole, 0), 255))
                    }
                }
                frame.optionalOutput(1, as: Float.self)?.pointee = scale
                frame.optionalOutput(2, as: UInt8.self)?.pointee = UInt8(zero)
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 11)
    }
}
