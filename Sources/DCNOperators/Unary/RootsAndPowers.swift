internal import CKernels
package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// y = √x, NaN below 0.
package struct Sqrt: UnaryMap {
    package static let name = "Sqrt"
    package static let cost = 2
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SQRT) }
    package func value(_ x: Double) -> Double { x.squareRoot() }
}

/// y = 1 / x: ±∞ at ±0, ±0 at ±∞; NaN stays.
package struct Reciprocal: UnaryMap {
    package static let name = "Reciprocal"
    package static let cost = 2
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_RECIPROCAL) }
    package func value(_ x: Double) -> Double { 1 / x }
}

/// y = e^x, 0 at −∞; NaN stays.
package struct Exp: UnaryMap {
    package static let name = "Exp"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_EXP) }
    package func value(_ x: Double) -> Double { exp(x) }
}

/// y = ln x, −∞ at 0 and NaN below.
package struct Log: UnaryMap {
    package static let name = "Log"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_LOG) }
    package func value(_ x: Double) -> Double { log(x) }
}

/// y = erf x; on integers cut off, which leaves ±1 from where float64 has nothing between erf x and that.
package struct Erf: UnaryMap {
    package static let name = "Erf"
    package static let since = 9
    package static let elements: [ElementType] = .numbers
    package init() {}
    package func integer<T: FixedWidthInteger>(_ x: T) -> T {
        x >= 6 ? 1 : T.isSigned && x <= -6 ? 0 &- 1 : 0
    }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_ERF) }
    package func value(_ x: Double) -> Double { erf(x) }
}
