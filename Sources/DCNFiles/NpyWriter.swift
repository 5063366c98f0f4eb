package import DCN

/// A tensor as a `.npy` file of version 1.0, row-major and little-endian. Types that NumPy lacks are widened.
package struct NpyImage {
    /// Everything before the elements.
    let header: [UInt8]
    /// The elements.
    let body: NpyBody

    /// Bytes of the whole file.
    var byteCount: Int { header.count + body.byteCount }

    /// The file of a tensor.
    package init(_ tensor: Tensor) {
        let tensor = widened(rowMajor(tensor))
        if tensor.type.element == .string {
            let strings = tensor.byteStrings.map { Array($0.text.unicodeScalars) }
            let width = max(1, strings.map(\.count).max() ?? 1)
            header = Self.header("<U\(width)", tensor.extents)
            body = .bytes(
                strings.flatMap { scalars -> [UInt8] in
                    var units = scalars.map(\.value)
                    units += Array(repeating: 0, count: width - units.count)
                    return units.flatMap { unit in
                        (0..<4).map { UInt8(truncatingIfNeeded: unit >> UInt32(8 * $0)) }
                    }
                })
        } else {
            header = Self.header(tensor.type.element.npyName, tensor.extents)
            body = .tensor(tensor)
        }
    }

    /// Hands over the file in pieces.
    package func write(_ sink: (UnsafeRawBufferPointer) throws(DCNError) -> Void) throws(DCNError) {
        try header.lent { (buffer) throws(DCNError) in try sink(buffer) }
        switch body {
        case .bytes(let bytes): try bytes.lent { (buffer) throws(DCNError) in try sink(buffer) }
        case .tensor(let tensor): try tensor.withBytes { (buffer) throws(DCNError) in try sink(buffer) }
        }
    }

    private static func header(_ name: String, _ extents: [Int]) -> [UInt8] {
        let shape =
            extents.count == 1
            ? "(\(extents[0]),)" : "(" + extents.map(String.init).joined(separator: ", ") + ")"
        var text = Array("{'descr': '\(name)', 'fortran_order': False, 'shape': \(shape), }".utf8)
        let spaces = 64 - (10 + text.count + 1) % 64
        text += Array(repeating: 32, count: spaces == 64 ? 0 : spaces) + [10]
        return NpyHeader.magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8 & 255)] + text
    }
}

/// Elements as a file holds them.
enum NpyBody {
    case bytes([UInt8])
    case tensor(Tensor)

    var byteCount: Int {
        switch self {
        case .bytes(let bytes): bytes.count
        case .tensor(let tensor): tensor.byteCount
        }
    }
}

extension ElementType {
    /// NumPy's name of a type that NumPy has.
    fileprivate var npyName: String {
        switch self {
        case .float16: "<f2"
        case .float32: "<f4"
        case .float64: "<f8"
        case .int8: "|i1"
        case .int16: "<i2"
        case .int32: "<i4"
        case .int64: "<i8"
        case .uint8: "|u1"
        case .uint16: "<u2"
        case .uint32: "<u4"
        case .uint64: "<u8"
        case .bool: "|b1"
        case .complex64: "<c8"
        case .complex128: "<c16"
        default: "|V\(byteWidth)"
        }
    }
}

/// Writes a tensor as a `.npy` file.
package func writeNpy(_ path: String, _ tensor: Tensor) throws(DCNError) {
    let file = try AtomicFile(path: path)
    try NpyImage(tensor).write { (bytes) throws(DCNError) in try file.write(bytes) }
    try file.commit()
}
