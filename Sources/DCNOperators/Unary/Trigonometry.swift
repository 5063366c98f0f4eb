internal import CKernels
internal import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// y = sin x.
package struct Sin: UnaryMap {
    package static let name = "Sin"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SIN) }
    package func value(_ x: Double) -> Double { sin(x) }
}

/// y = cos x.
package struct Cos: UnaryMap {
    package static let name = "Cos"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_COS) }
    package func value(_ x: Double) -> Double { cos(x) }
}

/// y = tan x.
package struct Tan: UnaryMap {
    package static let name = "Tan"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { tan(x) }
}

/// y = arcsin x.
package struct Asin: UnaryMap {
    package static let name = "Asin"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { asin(x) }
}

/// y = arccos x.
package struct Acos: UnaryMap {
    package static let name = "Acos"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { acos(x) }
}

/// y = arctan x.
package struct Atan: UnaryMap {
    package static let name = "Atan"
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { atan(x) }
}

/// y = sinh x.
package struct Sinh: UnaryMap {
    package static let name = "Sinh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { sinh(x) }
}

/// y = cosh x.
package struct Cosh: UnaryMap {
    package static let name = "Cosh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { cosh(x) }
}

/// y = arsinh x.
package struct Asinh: UnaryMap {
    package static let name = "Asinh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { asinh(x) }
}

/// y = arcosh x.
package struct Acosh: UnaryMap {
    package static let name = "Acosh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { acosh(x) }
}

/// y = artanh x.
package struct Atanh: UnaryMap {
    package static let name = "Atanh"
    package static let since = 9
    package static let cost = 16
    package init() {}
    package func value(_ x: Double) -> Double { atanh(x) }
}
