package import DCNGraph

/// A new axis of extent depth, `on` at the index and `off` elsewhere: inputs indices, depth, values [off, on].
/// Indices outside -depth … depth - 1 give no `on`. An index that is NaN or infinite gives none either.
package struct OneHot: MovementOperator {
    package static let name = "OneHot"
    /// Where the new axis stands: -rank - 1 … rank of indices.
    package var axis: Int

    package init(axis: Int = -1) { self.axis = axis }

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let indices = try inputs.required(0, "indices")
        let depth = try inputs.required(1, "depth")
        let values = try inputs.required(2, "values", rank: 1)
        for operand in [indices, depth] { try operand.expect(.numbers) }
        try values.expect(2, along: 0, because: "off and on")
        try depth.expectListOrScalar()
        guard let shape = indices.shape else { return [.tensor(TensorType(values.element, nil))] }
        var dimensions = shape.dimensions
        let count = try depthValue(depth)
        dimensions.insert(count ?? .unknown, at: try resolvedAxis(axis, rank: shape.rank + 1))
        return [.tensor(TensorType(values.element, Shape(dimensions)))]
    }

    private func depthValue(_ depth: Operand) throws(Misfit) -> Dimension? {
        if let known = depth.dimensions {
            guard known.count == 1 else {
                throw .value(of: "depth", because: "holds \(known.count) numbers, expected 1")
            }
            if let number = known[0].fixed, number < 0 {
                throw .value(of: "depth", because: "is \(number), expected 0 or more")
            }
            return known[0]
        }
        guard let tensor = depth.constant, tensor.count == 1, let number = firstNumber(tensor) else {
            return nil
        }
        guard number >= 0 else { throw .value(of: "depth", because: "is no number of 0 or more") }
        return .fixed(Int(saturating: number))
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let indices = try call.input(0)
        let extents = try call.outputExtents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let depth = extents[along]
        let inner = extents[(along + 1)...].product
        guard let read = numberReader(indices.element) else {
            throw .unsupported("OneHot of \(indices.element)")
        }
        let width = try call.output(0).element.byteWidth
        let tiling = Tiling(
            depth == 0 || inner == 0 ? 0 : extents[..<along].product, cost: depth * inner)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let x = UnsafeRawPointer(frame.input(0, as: UInt8.self))
            let values = frame.input(2, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            for outer in tiling[tile] {
                let plane = y + outer * depth * inner * width
                for cell in 0..<(depth * inner) { copyBytes(values, plane + cell * width, width) }
                for cell in 0..<inner {
                    let index = read(x, outer * inner + cell)
                    guard index >= -depth, index < depth else { continue }
                    let hot = index < 0 ? index + depth : index
                    copyBytes(values + width, plane + (hot * inner + cell) * width, width)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("OneHot", [("axis", .int(axis))], since: 9)
    }
}

/// Reads numbers of a type as integers, fractions dropped; what is no number or too large reads as the least integer.
func numberReader(_ element: ElementType) -> (@Sendable (UnsafeRawPointer, Int) -> Int)? {
    switch element {
    case .float32: floatReader(Float.self)
    case .float64: floatReader(Double.self)
    case .int8: integerReader(Int8.self)
    case .int16: integerReader(Int16.self)
    case .int32: integerReader(Int32.self)
    case .int64: integerReader(Int64.self)
    case .uint8: integerReader(UInt8.self)
    case .uint16: integerReader(UInt16.self)
    case .uint32: integerReader(UInt32.self)
    case .uint64: integerReader(UInt64.self)
    default: nil
    }
}

private func integerReader<T: FixedWidthInteger & Sendable>(_ type: T.Type)
    -> @Sendable (UnsafeRawPointer, Int) -> Int
{
    { bytes, index in Int(clamping: bytes.assumingMemoryBound(to: T.self)[index]) }
}

private func floatReader<T: BinaryFloatingPoint & Sendable>(_ type: T.Type)
    -> @Sendable (UnsafeRawPointer, Int) -> Int
{
    { bytes, index in
        Int(exactly: bytes.assumingMemoryBound(to: T.self)[index].rounded(.towardZero)) ?? Int.min
    }
}
