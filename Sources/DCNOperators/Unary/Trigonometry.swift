internal import CKernels
internal import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// y = sin x, NaN at ±∞.
package struct Sin: UnaryMap {
    package static let name = "Sin"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SIN) }
    package func value(_ x: Double) -> Double { sin(x) }
}

/// y = cos x, NaN at ±∞.
package struct Cos: UnaryMap {
    package static let name = "Cos"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_COS) }
    package func value(_ x: Double) -> Double { cos(x) }
}

/// y = tan x, NaN at ±∞.
package struct Tan: UnaryMap {
    package static let name = "Tan"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { tan(x) }
}

/// y = arcsin x, NaN outside −1 … 1.
package struct Asin: UnaryMap {
    package static let name = "Asin"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { asin(x) }
}

/// y = arccos x, NaN outside −1 … 1.
package struct Acos: UnaryMap {
    package static let name = "Acos"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { acos(x) }
}

/// y = arctan x, ±π/2 at ±∞; NaN stays.
package struct Atan: UnaryMap {
    package static let name = "Atan"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { atan(x) }
}

/// y = sinh x; NaN and infinities stay.
package struct Sinh: UnaryMap {
    package static let name = "Sinh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { sinh(x) }
}

/// y = cosh x, ∞ at ±∞; NaN stays.
package struct Cosh: UnaryMap {
    package static let name = "Cosh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { cosh(x) }
}

/// y = arsinh x; NaN and infinities stay.
package struct Asinh: UnaryMap {
    package static let name = "Asinh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { asinh(x) }
}

/// y = arcosh x, NaN below 1.
package struct Acosh: UnaryMap {
    package static let name = "Acosh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { acosh(x) }
}

/// y = artanh x, ±∞ at ±1 and NaN outside.
package struct Atanh: UnaryMap {
    package static let name = "Atanh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { atanh(x) }
}
