package import DCN

/// Values made up for trying a model out.
package enum Synthetic: Sendable, Hashable {
    case zeros, ones
    case random(seed: UInt64)

    /// A tensor of a type whose extents are known; nil when they are not, or hold more than can be counted.
    ///
    /// Random floats are uniform in −1 … 1, integers 0 or 1 (uint8: 0 … 255), strings empty.
    package func tensor(_ type: TensorType) -> Tensor? {
        guard let extents = type.extents, let count = type.elementCount, let byteCount = type.byteCount else {
            return nil
        }
        if type.element == .string {
            return Tensor(extents: extents, strings: Array(repeating: ByteString(""), count: count))
        }
        guard let made = MutableTensor(uninitialised: type) else { return nil }
        switch self {
        case .zeros: made.elements(as: UInt8.self).update(repeating: 0)
        case .ones: fillOnes(made, byteCount)
        case .random(let seed): fillRandom(made, seed)
        }
        return made.finished
    }

    private func fillOnes(_ made: MutableTensor, _ byteCount: Int) {
        let pattern = made.type.element.bitsOfOne
        let bytes = made.elements(as: UInt8.self)
        for index in bytes.indices { bytes[index] = pattern[index % pattern.count] }
    }

    private func fillRandom(_ made: MutableTensor, _ seed: UInt64) {
        var source = SplitMix(state: seed)
        func fill<T>(_ type: T.Type, _ next: () -> T) {
            let elements = made.elements(as: type)
            for index in elements.indices { elements[index] = next() }
        }
        func unit() -> Float { Float(source.next() >> 40) * 0x1p-23 - 1 }
        // Multiples of 1/128: exact in every half type.
        func coarse() -> Float { Float(Int(source.next() >> 56) - 128) / 128 }
        switch made.type.element {
        case .float32, .complex64: fill(Float.self, unit)
        case .float64, .complex128: fill(Double.self) { Double(unit()) }
        case .float16: fill(UInt16.self) { halfBits(coarse()) }
        case .bfloat16: fill(UInt16.self) { UInt16(coarse().bitPattern >> 16) }
        case .uint8: fill(UInt8.self) { UInt8(source.next() >> 56) }
        case .bool, .int8: fill(UInt8.self) { UInt8(source.next() >> 63) }
        case .int16, .uint16: fill(UInt16.self) { UInt16(source.next() >> 63) }
        case .int32, .uint32: fill(UInt32.self) { UInt32(source.next() >> 63) }
        case .int64, .uint64: fill(UInt64.self) { source.next() >> 63 }
        default:
            // Float8 and narrower: zeros and ones.
            let one = made.type.element.bitsOfOne[0]
            fill(UInt8.self) { source.next() >> 63 == 0 ? 0 : one }
        }
    }
}

/// A small generator of well mixed numbers (Steele, Lea and Flood's SplitMix64).
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}

extension ElementType {
    /// The little-endian bytes of one; of several ones where a byte holds several.
    fileprivate var bitsOfOne: [UInt8] {
        switch self {
        case .float32, .complex64: self == .float32 ? [0, 0, 0x80, 0x3F] : [0, 0, 0x80, 0x3F, 0, 0, 0, 0]
        case .float64, .complex128:
            [0, 0, 0, 0, 0, 0, 0xF0, 0x3F] + (self == .float64 ? [] : [UInt8](repeating: 0, count: 8))
        case .float16: [0, 0x3C]
        case .bfloat16: [0x80, 0x3F]
        case .float8e4m3fn: [0x38]
        case .float8e4m3fnuz, .float8e5m2fnuz: [0x40]
        case .float8e5m2: [0x3C]
        case .float8e8m0: [0x7F]
        case .float4e2m1: [0x22]
        case .float6e2m3: [0x08]
        case .float6e3m2: [0x0C]
        case .int4, .uint4: [0x11]
        case .int2, .uint2: [0x55]
        default: [1] + [UInt8](repeating: 0, count: byteWidth - 1)
        }
    }
}
