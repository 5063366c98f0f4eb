package import DCNGraph

/// A tensor of a shape that is given as a value, every element the same.
package struct ConstantOfShape: Operator {
    package static let name = "ConstantOfShape"
    /// The type of the elements.
    package var element: ElementType
    /// The bits of one element, in the low bits.
    package var pattern: Int
    package init(element: ElementType, bits: UInt64) {
        self.element = element
        pattern = Int(truncatingIfNeeded: bits)
    }
    private var bits: UInt64 { UInt64(truncatingIfNeeded: pattern) }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let shape = try inputs.required(0, "input")
        try shape.expect([.int64])
        if let rank = shape.rank, rank > 1 { try shape.expectRank(1) }
        guard element != .string, !element.isComplex else {
            throw .attribute("value", because: "is \(element), expected a type of real numbers")
        }
        if let dimensions = shape.dimensions {
            for case .fixed(let extent) in dimensions where extent < 0 {
                throw .value(of: "input", because: "holds \(extent), expected extents of at least 0")
            }
            return [.tensor(TensorType(element, Shape(dimensions)))]
        }
        guard shape.rank == 1, let rank = try shape.axisCount() else {
            return [.tensor(TensorType(element, nil))]
        }
        return [.tensor(TensorType(element, Shape(Array(repeating: .unknown, count: rank))))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard element.isInteger, let known = shapeLike(inputs, 0), known.count <= 1 else { return [nil] }
        guard let count = known.isEmpty ? 1 : known[0].fixed, count >= 0, count <= 1024 else { return [nil] }
        let value = element.isSigned ? Int(Int64(bitPattern: bits)) : Int(clamping: bits)
        return [Array(repeating: .fixed(value), count: count)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let type = call.outputs.first??.tensor, type.extents != nil, let bytes = type.byteCount else {
            return .routine(
                ValueRoutine { (inputs, scope) throws(Misfit) in
                    guard let extents = inputs.first??.tensor?.integers else { throw .missing("input") }
                    guard extents.allSatisfy({ $0 >= 0 }) else {
                        throw .value(of: "input", because: "is \(extents), expected extents of at least 0")
                    }
                    let output = try scope.allocate(TensorType(element, extents: extents))
                    fill(output.storage.base, bytes: 0..<output.storage.byteCount)
                    return [.tensor(output.finished)]
                })
        }
        let tiling = Tiling(bytes, target: 1 << 16, multipleOf: 64)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                fill(UnsafeMutableRawPointer(frame.output(0, as: UInt8.self)), bytes: tiling[tile])
            })
    }

    private func fill(_ base: UnsafeMutableRawPointer, bytes: Range<Int>) {
        let start = base + bytes.lowerBound
        switch element.bitWidth {
        case 16:
            start.assumingMemoryBound(to: UInt16.self).update(
                repeating: UInt16(truncatingIfNeeded: bits), count: bytes.count / 2)
        case 32:
            start.assumingMemoryBound(to: UInt32.self).update(
                repeating: UInt32(truncatingIfNeeded: bits), count: bytes.count / 4)
        case 64: start.assumingMemoryBound(to: UInt64.self).update(repeating: bits, count: bytes.count / 8)
        case let width:
            let byte = (0..<8 / width).reduce(UInt8(0)) {
                $0 | UInt8(truncatingIfNeeded: bits & (1 << UInt64(width) - 1)) << UInt8($1 * width)
            }
            start.assumingMemoryBound(to: UInt8.self).update(repeating: byte, count: bytes.count)
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let bytes = (0..<element.byteWidth).map { UInt8(truncatingIfNeeded: bits >> UInt64($0 * 8)) }
        guard let value = Tensor(TensorType(element, extents: [1]), bytesOf: bytes) else {
            throw .unsupported("ConstantOfShape of \(element) cannot be written")
        }
        return WrittenNode(Self.name, [("value", .tensor(value))], since: 9)
    }
}
