package import DCNGraph

/// y = a moved by b bits. A count that is negative or reaches the width leaves the sign alone.
package struct BitShift: PairMap {
    package static let name = "BitShift"
    package static let elements = [ElementType].integers
    package static let since = 11
    /// Whether bits move towards the higher ones.
    package var isLeft: Bool
    package init(isLeft: Bool) { self.isLeft = isLeft }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("direction", .string(ByteString(isLeft ? "LEFT" : "RIGHT")))]
    }
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T {
        guard b >= 0, b < T.bitWidth else { return !isLeft && a < 0 ? ~0 : 0 }
        return isLeft ? a << b : a >> b
    }
}

/// y = the bits that a and b both have.
package struct BitwiseAnd: PairMap {
    package static let name = "BitwiseAnd"
    package static let elements = [ElementType].integers
    package static let since = 18
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a & b }
}

/// y = the bits that a or b has.
package struct BitwiseOr: PairMap {
    package static let name = "BitwiseOr"
    package static let elements = [ElementType].integers
    package static let since = 18
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a | b }
}

/// y = the bits that one of a and b has.
package struct BitwiseXor: PairMap {
    package static let name = "BitwiseXor"
    package static let elements = [ElementType].integers
    package static let since = 18
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a ^ b }
}
