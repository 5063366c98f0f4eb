internal import DCNGraph

/// An element as an unsigned number of the same order: NaN above everything, both zeros equal.
protocol OrderKeyed: BitwiseCopyable, Sendable {
    var orderKey: UInt64 { get }
}

/// The key of a float from its bits, `exponentMask` being the bits of infinity.
@inline(__always)
private func floatKey(_ bits: UInt64, sign: UInt64, infinity: UInt64) -> UInt64 {
    let magnitude = bits & (sign - 1)
    if magnitude > infinity { return sign + infinity + 1 }
    return bits & sign == 0 ? sign + magnitude : sign - magnitude
}

extension Float: OrderKeyed {
    @inline(__always) var orderKey: UInt64 {
        floatKey(UInt64(bitPattern), sign: 1 << 31, infinity: 0x7f80_0000)
    }
}
extension Double: OrderKeyed {
    @inline(__always) var orderKey: UInt64 { floatKey(bitPattern, sign: 1 << 63, infinity: 0x7ff0 << 48) }
}
extension FixedWidthInteger {
    @inline(__always) var orderKey: UInt64 {
        UInt64(truncatingIfNeeded: self) &+ (Self.isSigned ? 1 << 63 : 0)
    }
}
extension Int8: OrderKeyed {}
extension Int16: OrderKeyed {}
extension Int32: OrderKeyed {}
extension Int64: OrderKeyed {}
extension UInt8: OrderKeyed {}
extension UInt16: OrderKeyed {}
extension UInt32: OrderKeyed {}
extension UInt64: OrderKeyed {}

/// The bits of a float16.
struct HalfBits: OrderKeyed {
    var bits: UInt16
    @inline(__always) var orderKey: UInt64 { floatKey(UInt64(bits), sign: 1 << 15, infinity: 0x7c00) }
}

/// The bits of a bfloat16.
struct BrainBits: OrderKeyed {
    var bits: UInt16
    @inline(__always) var orderKey: UInt64 { floatKey(UInt64(bits), sign: 1 << 15, infinity: 0x7f80) }
}

extension Tensor {
    /// One key for each number, in order; nil for types without order. Complex numbers have two, the real one first.
    func orderKeys() -> [UInt64]? {
        switch type.element {
        case .float32, .complex64: keys(Float.self)
        case .float64, .complex128: keys(Double.self)
        case .float16: keys(HalfBits.self)
        case .bfloat16: keys(BrainBits.self)
        case .int8: keys(Int8.self)
        case .int16: keys(Int16.self)
        case .int32: keys(Int32.self)
        case .int64: keys(Int64.self)
        case .uint8, .bool: keys(UInt8.self)
        case .uint16: keys(UInt16.self)
        case .uint32: keys(UInt32.self)
        case .uint64: keys(UInt64.self)
        case .string: stringKeys()
        default: nil
        }
    }

    private func keys<T: OrderKeyed>(_ type: T.Type) -> [UInt64] {
        aligned().withBytes { bytes in bytes.bindMemory(to: type).map(\.orderKey) }
    }

    private func stringKeys() -> [UInt64] {
        let ordered = Set(strings).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        let ranks = Dictionary(uniqueKeysWithValues: ordered.enumerated().map { ($1, UInt64($0)) })
        return strings.map { ranks[$0] ?? 0 }
    }
}
