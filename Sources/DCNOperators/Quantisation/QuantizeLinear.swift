internal import CKernels
package import DCNGraph

/// y = saturate(round(x / scale) + zero), halves to even; floats of 8, 6 and 4 bits are rounded to their nearest instead.
/// To integers, NaN gives the zero point and infinities the bounds.
package struct QuantizeLinear: Operator {
    package static let name = "QuantizeLinear"
    /// The axis of scales that are not one.
    package var axis: Int
    /// How many elements along the axis share a scale; 0 where the scale is one or has one entry per index.
    package var blockSize: Int
    /// Whether 8-bit floats take their greatest number for what is beyond it.
    package var saturate: Bool
    /// The type to make where no zero point says so.
    package var element: ElementType?
    /// The type that the quotient is rounded to; nil: that of the scale.
    package var precision: ElementType?
    package init(
        axis: Int = 1, blockSize: Int = 0, saturate: Bool = true, element: ElementType? = nil,
        precision: ElementType? = nil
    ) {
        self.axis = axis
        self.blockSize = blockSize
        self.saturate = saturate
        self.element = element
        self.precision = precision
    }

    static let quantised: [ElementType] =
        [.int8, .uint8, .int16, .uint16, .int4, .uint4, .int2, .uint2, .float4e2m1, .float6e2m3, .float6e3m2]
        + .eightBitFloats

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        let scale = try inputs.required(1, "y_scale")
        let zero = try inputs.optional(2, "y_zero_point")
        try x.expect([.float32, .float16, .bfloat16, .int32])
        try scale.expect([.float32, .float16, .bfloat16, .int32, .float8e8m0])
        try zero?.expect(Self.quantised)
        if let zero, let element, zero.element != element {
            throw .element(of: "y_zero_point", expected: "\(element) as output_dtype", got: zero.element)
        }
        let made = zero?.element ?? element ?? .uint8
        guard Self.quantised.contains(made) else {
            throw .attribute("output_dtype", because: "is \(made), which nothing is quantised to")
        }
        try checkScale(scale, zero, of: x, axis: axis, blockSize: blockSize)
        return [.tensor(TensorType(made, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let output = try call.output(0)
        let extents = try call.extents(0)
        let scaleExtents = try call.extents(1)
        let granularity = try Granularity(extents, scale: scaleExtents, axis: axis, blockSize: blockSize)
        let scaleReader = try ElementReader(try call.input(1).element)
        let zeroReader = call.has(2) ? try ElementReader(output.element) : nil
        let division = Division(precision ?? scaleReader.element)
        let writer = try ElementWriter(output.element, saturate: saturate)
        let reader = try ElementReader(x.element)
        let tiling = Tiling(output.elementCount ?? 0, cost: 8, multipleOf: 64)
        let isInteger = output.element.isInteger
        let (low, high) = isInteger ? output.element.integerRange : (0, 0)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
                let scales = UnsafeRawPointer(frame.input(1, as: UInt8.self))
                let zeros = UnsafeRawPointer(frame.input(2, as: UInt8.self))
                let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
                var (scale, zero, left) = (1.0, 0.0, 0)
                for index in tiling[tile] {
                    if left == 0 {
                        let place = granularity.place(index)
                        scale = scaleReader.number(scales, place)
                        zero = zeroReader?.number(zeros, place) ?? 0
                        left = granularity.run(index)
                    }
                    left -= 1
                    let quotient = division.quotient(reader.number(x, index), scale)
                    guard isInteger else {
                        writer.store(writer.bits(of: quotient + zero), y, index)
                        continue
                    }
                    let whole = quotient.rounded(.toNearestOrEven) + zero
                    let bounded = whole.isNaN ? zero : min(max(whole, Double(low)), Double(high))
                    writer.store(UInt64(bitPattern: Int64(bounded)), y, index)
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [("axis", .int(axis))]
        if !saturate { attributes.append(("saturate", .int(0))) }
        if blockSize > 0 { attributes.append(("block_size", .int(blockSize))) }
        if let element { attributes.append(("output_dtype", .int(element.rawValue))) }
        if let precision { attributes.append(("precision", .int(precision.rawValue))) }
        let isPlain = blockSize == 0 && element == nil && saturate
        return WrittenNode(Self.name, attributes, since: precision != nil ? 23 : isPlain ? 13 : 21)
    }
}

/// A division rounded to the precision of a type.
struct Division: Sendable {
    private let format: NarrowFloat?
    private let isSingle: Bool

    /// The division of a type; int32 and float64 divide as float64.
    init(_ element: ElementType) {
        format = NarrowFloat(element)
        isSingle = element == .float32 || element == .float8e8m0
    }

    /// a / b, rounded.
    func quotient(_ a: Double, _ b: Double) -> Double {
        if let format { return format.decoded(format.encoded(Double(Float(a) / Float(b)), saturate: false)) }
        return isSingle ? Double(Float(a) / Float(b)) : a / b
    }
}
