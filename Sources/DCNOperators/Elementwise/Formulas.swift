#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// 1 / (1 + e^−x), without overflow.
func logistic(_ x: Double) -> Double {
    guard x < 0 else { return 1 / (1 + exp(-x)) }
    let power = exp(x)
    return power / (1 + power)
}

/// ln(1 + e^x), without overflow.
func softplus(_ x: Double) -> Double { (x < 0 ? 0 : x) + log1p(exp(-abs(x))) }

func hyperbolicTangent(_ x: Double) -> Double { tanh(x) }
func errorFunction(_ x: Double) -> Double { erf(x) }
func exponentialLessOne(_ x: Double) -> Double { expm1(x) }

/// x rounded to so many decimal digits, the first that is not 0 counting first.
func roundedDecimal(_ x: Double, digits: Int) -> Double {
    guard x != 0, x.isFinite else { return x }
    let shift = Double(digits - 1) - log10(abs(x)).rounded(.down)
    let scale = pow(10, abs(shift))
    return shift < 0 ? (x / scale).rounded() * scale : (x * scale).rounded() / scale
}

/// x within 0 … 1, NaN kept.
func clamped(_ x: Double) -> Double { x < 0 ? 0 : x > 1 ? 1 : x }

/// A number made an integer: towards zero, beyond the range the nearest bound, NaN 0.
@inline(__always)
func clampedInteger<T: FixedWidthInteger>(_ x: Double) -> T {
    if let exact = T(exactly: x.rounded(.towardZero)) { return exact }
    return x.isNaN ? 0 : x < 0 ? T.min : T.max
}
