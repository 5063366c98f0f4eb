package import DCN

/// The tensor itself, or for types that NumPy lacks one of a wider type with the same numbers: bfloat16, float8,
/// float6 and float4 become float32, unsigned 2- and 4-bit integers uint8, signed ones int8.
package func widened(_ tensor: Tensor) -> Tensor {
    let wide: Tensor? =
        switch tensor.type.element {
        case .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
            .float4e2m1, .float6e2m3, .float6e3m2:
            Tensor(extents: tensor.extents, narrowNumbers(tensor).map { Float($0) })
        case .int4, .int2: Tensor(extents: tensor.extents, narrowNumbers(tensor).map { Int8($0) })
        case .uint4, .uint2: Tensor(extents: tensor.extents, narrowNumbers(tensor).map { UInt8($0) })
        default: tensor
        }
    return wide ?? tensor
}

/// The elements of a type narrower than float32 that Swift has no number for.
func narrowNumbers(_ tensor: Tensor) -> [Double] {
    let element = tensor.type.element
    let table =
        element.bitWidth <= 8 ? (0..<1 << element.bitWidth).map { narrowNumber(UInt16($0), element) } : []
    let count = tensor.count
    return tensor.withBytes { bytes in
        if element.bitWidth == 16 {
            return (0..<count).map {
                narrowNumber(bytes.loadUnaligned(fromByteOffset: 2 * $0, as: UInt16.self), element)
            }
        }
        // Several in a byte: the first one lies in the lowest bits.
        let width = element.bitWidth
        let perByte = 8 / width
        let mask = (1 << width) - 1
        return (0..<count).map { table[Int(bytes[$0 / perByte]) >> ($0 % perByte * width) & mask] }
    }
}

/// The number that the bits of a narrow element stand for.
package func narrowNumber(_ bits: UInt16, _ element: ElementType) -> Double {
    switch element {
    case .float16: return FloatForm(exponent: 5, fraction: 10, bias: 15, specials: .infinities).number(bits)
    case .bfloat16: return Double(Float(bitPattern: UInt32(bits) << 16))
    case .float8e4m3fn: return FloatForm(exponent: 4, fraction: 3, bias: 7, specials: .lastIsNaN).number(bits)
    case .float8e4m3fnuz:
        return FloatForm(exponent: 4, fraction: 3, bias: 8, specials: .minusZeroIsNaN).number(bits)
    case .float8e5m2: return FloatForm(exponent: 5, fraction: 2, bias: 15, specials: .infinities).number(bits)
    case .float8e5m2fnuz:
        return FloatForm(exponent: 5, fraction: 2, bias: 16, specials: .minusZeroIsNaN).number(bits)
    case .float4e2m1: return FloatForm(exponent: 2, fraction: 1, bias: 1, specials: .none).number(bits)
    case .float6e2m3: return FloatForm(exponent: 2, fraction: 3, bias: 1, specials: .none).number(bits)
    case .float6e3m2: return FloatForm(exponent: 3, fraction: 2, bias: 3, specials: .none).number(bits)
    case .float8e8m0:
        return bits == 255 ? .nan : Double(sign: .plus, exponent: Int(bits) - 127, significand: 1)
    case .int4: return Double(bits) - (bits >= 8 ? 16 : 0)
    case .int2: return Double(bits) - (bits >= 2 ? 4 : 0)
    default: return Double(bits)
    }
}

/// A sign, exponent bits, fraction bits, and what the greatest patterns mean.
private struct FloatForm {
    enum Specials { case infinities, lastIsNaN, minusZeroIsNaN, none }
    let exponent: Int
    let fraction: Int
    let bias: Int
    let specials: Specials

    func number(_ bits: UInt16) -> Double {
        let sign = Int(bits) >> (exponent + fraction) & 1
        let power = Int(bits) >> fraction & ((1 << exponent) - 1)
        let part = Int(bits) & ((1 << fraction) - 1)
        let isTop = power == (1 << exponent) - 1
        let factor = sign == 0 ? 1.0 : -1.0
        switch specials {
        case .infinities where isTop: return part == 0 ? factor * .infinity : .nan
        case .lastIsNaN where isTop && part == (1 << fraction) - 1: return .nan
        case .minusZeroIsNaN where sign == 1 && power == 0 && part == 0: return .nan
        default: break
        }
        let significand = Double(part) / Double(1 << fraction)
        if power == 0 { return factor * Double(sign: .plus, exponent: 1 - bias, significand: significand) }
        return factor * Double(sign: .plus, exponent: power - bias, significand: 1 + significand)
    }
}

/// The tensor with its elements in ONNX's order.
package func rowMajor(_ tensor: Tensor) -> Tensor {
    let extents = tensor.extents
    guard tensor.type.layout == .channelsLast, extents.count >= 2 else { return tensor }
    let type = tensor.type.with(layout: .rowMajor)
    guard let made = MutableTensor(uninitialised: type) else { return tensor }
    let width = tensor.type.element.byteWidth
    let inner = extents[2...].reduce(1, *)
    let padded = paddedChannels(extents[1])
    let target = made.elements(as: UInt8.self)
    tensor.withBytes { source in
        for image in 0..<extents[0] {
            for channel in 0..<extents[1] {
                for place in 0..<inner {
                    let from = ((image * inner + place) * padded + channel) * width
                    let to = ((image * extents[1] + channel) * inner + place) * width
                    for byte in 0..<width { target[to + byte] = source[from + byte] }
                }
            }
        }
    }
    return made.finished
}
