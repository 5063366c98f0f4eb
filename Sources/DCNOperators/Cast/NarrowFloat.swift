package import DCNGraph

/// A floating-point format of 4, 6, 8 or 16 bits: sign, exponent, mantissa.
///
///     value = (−1)^sign · 2^(exponent − bias) · 1.mantissa        (exponent 0: 2^(1 − bias) · 0.mantissa)
package struct NarrowFloat: Sendable {
    private let exponentBits: Int
    private let mantissaBits: Int
    private let bias: Int
    /// The code of the greatest finite number.
    private let greatest: UInt32
    private let infinity: UInt32?
    private let nan: UInt32?
    /// Whether there is no −0, its code being NaN.
    private let hasUnsignedZero: Bool

    private var signBit: UInt32 { 1 << UInt32(exponentBits + mantissaBits) }

    /// The format of an element type; nil for types of other kinds.
    package init?(_ element: ElementType) {
        switch element {
        case .float16: self.init(5, 10, bias: 15, greatest: 0x7BFF, infinity: 0x7C00, nan: 0x7E00)
        case .bfloat16: self.init(8, 7, bias: 127, greatest: 0x7F7F, infinity: 0x7F80, nan: 0x7FC0)
        case .float8e4m3fn: self.init(4, 3, bias: 7, greatest: 0x7E, infinity: nil, nan: 0x7F)
        case .float8e4m3fnuz:
            self.init(4, 3, bias: 8, greatest: 0x7F, infinity: nil, nan: 0x80, unsignedZero: true)
        case .float8e5m2: self.init(5, 2, bias: 15, greatest: 0x7B, infinity: 0x7C, nan: 0x7E)
        case .float8e5m2fnuz:
            self.init(5, 2, bias: 16, greatest: 0x7F, infinity: nil, nan: 0x80, unsignedZero: true)
        case .float4e2m1: self.init(2, 1, bias: 1, greatest: 0x7, infinity: nil, nan: nil)
        case .float6e2m3: self.init(2, 3, bias: 1, greatest: 0x1F, infinity: nil, nan: nil)
        case .float6e3m2: self.init(3, 2, bias: 3, greatest: 0x1F, infinity: nil, nan: nil)
        default: return nil
        }
    }

    private init(
        _ exponentBits: Int, _ mantissaBits: Int, bias: Int, greatest: UInt32, infinity: UInt32?,
        nan: UInt32?,
        unsignedZero: Bool = false
    ) {
        self.exponentBits = exponentBits
        self.mantissaBits = mantissaBits
        self.bias = bias
        self.greatest = greatest
        self.infinity = infinity
        self.nan = nan
        hasUnsignedZero = unsignedZero
    }

    /// The number behind a code.
    package func decoded(_ code: UInt32) -> Double {
        if hasUnsignedZero, code == signBit { return .nan }
        let magnitude = code & (signBit - 1)
        let isNegative = code & signBit != 0
        guard magnitude <= greatest else {
            return magnitude == infinity ? (isNegative ? -.infinity : .infinity) : .nan
        }
        let exponent = Int(magnitude >> UInt32(mantissaBits))
        let mantissa = magnitude & (1 << UInt32(mantissaBits) - 1)
        let digits = exponent == 0 ? mantissa : mantissa | 1 << UInt32(mantissaBits)
        let scale = max(exponent, 1) - bias - mantissaBits
        let value = Double(digits) * Double(sign: .plus, exponent: scale, significand: 1)
        return isNegative ? -value : value
    }

    /// The code of the nearest number, halves to even. Beyond the greatest: that one if `saturate`, else infinity, or
    /// NaN where there is none.
    package func encoded(_ x: Double, saturate: Bool) -> UInt32 {
        let sign = x.sign == .minus ? signBit : 0
        guard !x.isNaN else { return hasUnsignedZero ? signBit : nan.map { $0 | sign } ?? signBit }
        let magnitude = x.isInfinite ? greatest + 1 : rounded(x.magnitude)
        if magnitude > greatest { return overflowed(sign, saturate: saturate) }
        return magnitude == 0 && hasUnsignedZero ? 0 : magnitude | sign
    }

    /// The number of the fewest decimal digits that has the code of `number`, a number of this format, and is in its range.
    func shortest(_ number: Double) -> Double {
        let (code, range) = (encoded(number, saturate: false), decoded(greatest))
        let candidates = (1...16).lazy.map { roundedDecimal(number, digits: $0) }
        return candidates.first { abs($0) <= range && encoded($0, saturate: false) == code } ?? number
    }

    private func overflowed(_ sign: UInt32, saturate: Bool) -> UInt32 {
        if saturate || (infinity == nil && nan == nil) { return greatest | sign }
        if let infinity { return infinity | sign }
        return hasUnsignedZero ? signBit : (nan ?? greatest) | sign
    }

    private func rounded(_ x: Double) -> UInt32 {
        guard x > 0 else { return 0 }
        let least = 1 - bias
        let exponent = max(Int(x.exponent), least)
        guard exponent <= bias + 1 else { return greatest + 1 }
        let digits = x * Double(sign: .plus, exponent: mantissaBits - exponent, significand: 1)
        let whole = UInt32(digits.rounded(.toNearestOrEven))
        // Carries run on into the exponent, from the subnormal numbers too.
        return UInt32(exponent - least) << UInt32(mantissaBits) + whole
    }
}
