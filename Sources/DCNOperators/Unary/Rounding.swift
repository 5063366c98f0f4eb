internal import CKernels
internal import DCNGraph

/// y = ⌊x⌋; NaN and infinities stay.
package struct Floor: UnaryMap {
    package static let name = "Floor"
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_FLOOR) }
    package func value(_ x: Double) -> Double { x.rounded(.down) }
}

/// y = ⌈x⌉; NaN and infinities stay.
package struct Ceil: UnaryMap {
    package static let name = "Ceil"
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_CEIL) }
    package func value(_ x: Double) -> Double { x.rounded(.up) }
}

/// y = the nearest integer, halves to even; NaN and infinities stay.
package struct Round: UnaryMap {
    package static let name = "Round"
    package static let since = 11
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_ROUND) }
    package func value(_ x: Double) -> Double { x.rounded(.toNearestOrEven) }
}
