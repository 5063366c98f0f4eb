internal import CKernels
package import DCNGraph

/// y = |x|; NaN stays, and the least integer.
package struct Abs: UnaryMap {
    package static let name = "Abs"
    package static let elements = [ElementType].numbers
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_ABS) }
    package func value(_ x: Double) -> Double { abs(x) }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { x < 0 ? 0 &- x : x }
}

/// y = −x; NaN stays, and the least integer.
package struct Neg: UnaryMap {
    package static let name = "Neg"
    package static let elements = [ElementType].signedNumbers
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_NEG) }
    package func value(_ x: Double) -> Double { -x }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { 0 &- x }
}

/// y = −1, 0 or 1, as x is; NaN stays.
package struct Sign: UnaryMap {
    package static let name = "Sign"
    package static let elements = [ElementType].numbers
    package static let since = 9
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SIGN) }
    package func value(_ x: Double) -> Double { x < 0 ? -1 : x > 0 ? 1 : x }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { x.signum() }
}

/// y = x with every bit turned.
package struct BitwiseNot: UnaryMap {
    package static let name = "BitwiseNot"
    package static let elements = [ElementType].integers
    package static let since = 18
    package static let cost = 1
    package init() {}
    package func value(_ x: Double) -> Double { x }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { ~x }
}
