package import DCNGraph

/// y = (x − zero) · scale; NaN of a float8 stays.
package struct DequantizeLinear: Operator {
    package static let name = "DequantizeLinear"
    /// The axis of scales that are not one.
    package var axis: Int
    /// How many elements along the axis share a scale; 0 where the scale is one or has one entry per index.
    package var blockSize: Int
    /// The type to make; nil: that of the scale.
    package var element: ElementType?
    package init(axis: Int = 1, blockSize: Int = 0, element: ElementType? = nil) {
        self.axis = axis
        self.blockSize = blockSize
        self.element = element
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let scale = try inputs.required(1, "x_scale")
        let zero = try inputs.optional(2, "x_zero_point")
        try x.expect(QuantizeLinear.quantised + [.int32])
        try scale.expect([.float32, .float16, .bfloat16, .float8e8m0])
        try zero?.expectSameElement(as: x)
        try checkScale(scale, zero, of: x, axis: axis, blockSize: blockSize)
        let made = element ?? (scale.element == .float8e8m0 ? .float32 : scale.element)
        guard [.float32, .float16, .bfloat16].contains(made) else {
            throw .attribute("output_dtype", because: "is \(made), expected float32, float16 or bfloat16")
        }
        return [.tensor(TensorType(made, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let output = try call.output(0)
        let granularity = try Granularity(
            try call.extents(0), scale: try call.extents(1), axis: axis, blockSize: blockSize)
        let scaleReader = try ElementReader(try call.input(1).element)
        let reader = try ElementReader(try call.input(0).element)
        let hasZero = call.has(2)
        let writer = try ElementWriter(output.element)
        let tiling = Tiling(output.elementCount ?? 0, cost: 8, multipleOf: 64)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
                let scales = UnsafeRawPointer(frame.input(1, as: UInt8.self))
                let zeros = UnsafeRawPointer(frame.input(2, as: UInt8.self))
                let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
                var (scale, zero, left): (Float, Double, Int) = (1, 0, 0)
                for index in tiling[tile] {
                    if left == 0 {
                        let place = granularity.place(index)
                        scale = Float(scaleReader.number(scales, place))
                        zero = hasZero ? reader.number(zeros, place) : 0
                        left = granularity.run(index)
                    }
                    left -= 1
                    let product = Float(reader.number(x, index) - zero) * scale
                    writer.store(writer.bits(of: Double(product)), y, index)
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [("axis", .int(axis))]
        if blockSize > 0 { attributes.append(("block_size", .int(blockSize))) }
        if let element { attributes.append(("output_dtype", .int(element.rawValue))) }
        return WrittenNode(Self.name, attributes, since: element != nil ? 23 : blockSize > 0 ? 21 : 13)
    }
}
