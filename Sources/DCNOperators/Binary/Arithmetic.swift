internal import CKernels
package import DCNGraph

/// y = a + b; integers wrap, floats follow IEEE 754.
package struct Add: PairMap {
    package static let name = "Add"
    package static let vectorPair: VectorPair? = VectorPair(DCN_BINARY_ADD)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a &+ b }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension {
        if a == 0 { return b }
        if b == 0 { return a }
        return known(a, b) { $0 &+ $1 }
    }
}

/// y = a − b; integers wrap, floats follow IEEE 754.
package struct Sub: PairMap {
    package static let name = "Sub"
    package static let vectorPair: VectorPair? = VectorPair(DCN_BINARY_SUB)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a &- b }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension {
        b == 0 ? a : known(a, b) { $0 &- $1 }
    }
}

/// y = a b; integers wrap, floats follow IEEE 754.
package struct Mul: PairMap {
    package static let name = "Mul"
    package static let vectorPair: VectorPair? = VectorPair(DCN_BINARY_MUL)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a &* b }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension {
        if a == 1 { return b }
        if b == 1 { return a }
        if a == 0 || b == 0 { return 0 }
        return known(a, b) { $0 &* $1 }
    }
}

/// y = a / b; of integers the quotient towards zero, 0 where b is 0, wrapped where the least is divided by −1;
/// floats follow IEEE 754.
package struct Div: PairMap {
    package static let name = "Div"
    package static let vectorPair: VectorPair? = VectorPair(DCN_BINARY_DIV)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        b == 0 ? 0 : a.dividedReportingOverflow(by: b).partialValue
    }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension {
        b == 1 ? a : known(a, b) { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }
    }
}

private func known(_ a: Dimension, _ b: Dimension, _ combine: (Int, Int) -> Int) -> Dimension {
    guard let a = a.fixed, let b = b.fixed else { return .unknown }
    return .fixed(combine(a, b))
}

/// y = a for a ≥ 0, slope · a below; the slope is broadcast to the shape of a. NaN in a stays.
package struct PRelu: PairMap {
    package static let name = "PRelu"
    package static let elements = [ElementType].floats + [.int32, .int64, .uint32, .uint64]
    package static let vectorPair: VectorPair? = VectorPair(DCN_BINARY_PRELU)
    package init() {}
    package func shape(_ a: Operand, _ b: Operand) throws(Misfit) -> Shape? {
        guard let own = a.shape, let shape = try broadcastShape([a, b]) else { return a.shape }
        for axis in 0..<shape.rank {
            let extent = axis < shape.rank - own.rank ? 1 : own[axis - (shape.rank - own.rank)]
            guard let expected = extent.fixed, let got = shape[axis].fixed, expected != got else { continue }
            throw .extent(
                of: "slope", axis: axis, expected: "1 or \(expected)", got: "\(got)",
                because: "broadcast to X alone")
        }
        return own
    }
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a < 0 ? a &* b : a }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension { .unknown }
}
