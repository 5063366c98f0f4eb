internal import DCN

/// All elements as float64, both parts of complex ones one after the other; types without arithmetic as their bits.
func numbers(_ tensor: Tensor) -> [Double] {
    if let integers = tensor.integers { return integers.map(Double.init) }
    return tensor.withBytes { bytes in
        switch tensor.type.element {
        case .float32, .complex64: (0..<bytes.count / 4).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
        case .float64, .complex128: (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
        case .float16:
            (0..<bytes.count / 2).map { widened(half: bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) }
        case .bfloat16:
            (0..<bytes.count / 2).map {
                Double(Float(bitPattern: UInt32(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self)) << 16))
            }
        default: bytes.map(Double.init)
        }
    }
}

/// The number that 1 sign, 5 exponent and 10 fraction bits stand for.
private func widened(half bits: UInt16) -> Double {
    let sign = bits >> 15 == 0 ? 1.0 : -1.0
    let exponent = Int(bits >> 10 & 31)
    let fraction = Double(bits & 1023)
    if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
    if exponent == 0 { return sign * fraction * 0x1p-24 }
    return sign * Double(sign: .plus, exponent: exponent - 15, significand: 1 + fraction / 1024)
}
