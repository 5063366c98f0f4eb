internal import DCNGraph

/// Reads elements of any numeric type as float64 or int64, a block at a time.
struct ElementReader: Sendable {
    let element: ElementType
    private let format: NarrowFloat?

    /// A reader; throws for strings and complex numbers.
    init(_ element: ElementType) throws(Misfit) {
        guard element != .string, !element.isComplex else { throw noKernel("conversion", for: element) }
        self.element = element
        format = NarrowFloat(element)
    }

    /// Whether elements are read as int64: integers of any width, and bool.
    var isInteger: Bool { element.isInteger || element == .bool }

    /// The code of an element narrower than 64 bits, as it is stored.
    func code(_ base: UnsafeRawPointer, _ index: Int) -> UInt32 {
        switch element.bitWidth {
        case 2: UInt32(base.load(fromByteOffset: index / 4, as: UInt8.self) >> UInt8(index % 4 * 2) & 3)
        case 4: UInt32(base.load(fromByteOffset: index / 2, as: UInt8.self) >> UInt8(index % 2 * 4) & 15)
        case 8: UInt32(base.load(fromByteOffset: index, as: UInt8.self))
        case 16: UInt32(base.load(fromByteOffset: index * 2, as: UInt16.self))
        default: base.load(fromByteOffset: index * 4, as: UInt32.self)
        }
    }

    /// One element as int64; uint64 keeps its bits.
    func integer(_ base: UnsafeRawPointer, _ index: Int) -> Int64 {
        switch element {
        case .int64, .uint64: return base.load(fromByteOffset: index * 8, as: Int64.self)
        case .bool: return code(base, index) == 0 ? 0 : 1
        default:
            let code = Int64(code(base, index))
            let sign = Int64(1) << Int64(element.bitWidth - 1)
            return element.isSigned && code & sign != 0 ? code - sign - sign : code
        }
    }

    /// One element as float64.
    func number(_ base: UnsafeRawPointer, _ index: Int) -> Double {
        switch element {
        case .float32: return Double(base.load(fromByteOffset: index * 4, as: Float.self))
        case .float64: return base.load(fromByteOffset: index * 8, as: Double.self)
        case .uint64: return Double(base.load(fromByteOffset: index * 8, as: UInt64.self))
        case .float8e8m0:
            let code = code(base, index)
            return code == 255 ? .nan : Double(sign: .plus, exponent: Int(code) - 127, significand: 1)
        default: return format?.decoded(code(base, index)) ?? Double(integer(base, index))
        }
    }
}

/// Writes float64 or int64 as elements of any numeric type.
struct ElementWriter: Sendable {
    let element: ElementType
    let saturate: Bool
    let rounding: ScaleRounding
    private let format: NarrowFloat?

    /// A writer; throws for strings and complex numbers.
    init(_ element: ElementType, saturate: Bool = true, rounding: ScaleRounding = .up) throws(Misfit) {
        guard element != .string, !element.isComplex else { throw noKernel("conversion", for: element) }
        self.element = element
        self.rounding = rounding
        format = NarrowFloat(element)
        self.saturate = saturate && element != .float16 && element != .bfloat16
    }

    /// The bits of a number: floats to the nearest, integers towards zero and to their bounds (packed ones wrap).
    func bits(of number: Double) -> UInt64 {
        switch element {
        case .float32: UInt64(Float(number).bitPattern)
        case .float64: number.bitPattern
        case .bool: number == 0 ? 0 : 1
        case .float8e8m0: UInt64(scaleCode(Float(number), saturate: saturate, rounding))
        default: format.map { UInt64($0.encoded(number, saturate: saturate)) } ?? clampedBits(number)
        }
    }

    /// The bits of an integer: floats to the nearest, integers wrap.
    func bits(of integer: Int64, isUnsigned: Bool) -> UInt64 {
        switch element {
        case .float32: UInt64((isUnsigned ? Float(UInt64(bitPattern: integer)) : Float(integer)).bitPattern)
        case .bool: integer == 0 ? 0 : 1
        case _ where element.isInteger: UInt64(bitPattern: integer)
        default: bits(of: isUnsigned ? Double(UInt64(bitPattern: integer)) : Double(integer))
        }
    }

    private func clampedBits(_ number: Double) -> UInt64 {
        if element == .uint64 { return clampedInteger(number) }
        let value: Int64 = clampedInteger(number)
        // As in the standard's reference, integers narrower than a byte wrap.
        guard element != .int64, !element.isPacked else { return UInt64(bitPattern: value) }
        let (low, high) = element.integerRange
        return UInt64(bitPattern: min(max(value, low), high))
    }

    /// Stores the low bits; in packed types the neighbours in the byte are kept.
    func store(_ bits: UInt64, _ base: UnsafeMutableRawPointer, _ index: Int) {
        switch element.bitWidth {
        case 2: merge(bits & 3, base + index / 4, shift: index % 4 * 2, mask: 3)
        case 4: merge(bits & 15, base + index / 2, shift: index % 2 * 4, mask: 15)
        case 8: base.storeBytes(of: UInt8(truncatingIfNeeded: bits), toByteOffset: index, as: UInt8.self)
        case 16:
            base.storeBytes(of: UInt16(truncatingIfNeeded: bits), toByteOffset: index * 2, as: UInt16.self)
        case 32:
            base.storeBytes(of: UInt32(truncatingIfNeeded: bits), toByteOffset: index * 4, as: UInt32.self)
        default: base.storeBytes(of: bits, toByteOffset: index * 8, as: UInt64.self)
        }
    }

    private func merge(_ bits: UInt64, _ byte: UnsafeMutableRawPointer, shift: Int, mask: UInt8) {
        // The first element of a byte clears what follows it, so that bits after the last element are zero.
        let old = shift == 0 ? 0 : byte.load(as: UInt8.self) & ~(mask << UInt8(shift))
        byte.storeBytes(of: old | UInt8(bits) << UInt8(shift), as: UInt8.self)
    }
}

extension ElementType {
    /// The least and greatest of an integer type of at most 32 bits.
    var integerRange: (Int64, Int64) {
        let width = Int64(min(bitWidth, 32))
        return isSigned ? (-(1 << (width - 1)), 1 << (width - 1) - 1) : (0, 1 << width - 1)
    }
}

/// How a number becomes a power of two.
package enum ScaleRounding: String, Sendable, Hashable, Codable {
    case up, down, nearest
}

/// The exponent of a number as float8e8m0 stores it; the sign is lost, infinity and NaN are 255.
func scaleCode(_ x: Float, saturate: Bool, _ rounding: ScaleRounding) -> UInt8 {
    let bits = x.bitPattern
    let exponent = UInt8(truncatingIfNeeded: bits >> 23)
    guard exponent != 255 else { return 255 }
    let fraction = bits & 0x7F_FFFF
    let half: UInt32 = 0x40_0000
    let isUp =
        switch rounding {
        case .up: fraction > 0
        case .down: false
        case .nearest: fraction > half || (fraction == half && exponent > 0)
        }
    return isUp && !(saturate && exponent == 254) ? exponent + 1 : exponent
}
