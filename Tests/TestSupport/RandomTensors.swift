package import DCNGraph

/// Seeded numbers (splitmix64).
package struct Seeded {
    private var state: UInt64
    /// Numbers that follow from a seed.
    package init(_ seed: UInt64) { state = seed }

    /// 64 random bits.
    package mutating func bits() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ z >> 30) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ z >> 27) &* 0x94D0_49BB_1331_11EB
        return z ^ z >> 31
    }

    /// A number in −scale … scale.
    package mutating func number(_ scale: Float = 1) -> Float {
        (Float(bits() >> 40) / Float(1 << 24) * 2 - 1) * scale
    }

    /// A number in the range.
    package mutating func integer(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(bits() % UInt64(range.count))
    }

    /// A tensor of numbers in −scale … scale.
    package mutating func tensor(_ extents: [Int], scale: Float = 1) -> Tensor {
        let values = (0..<extents.reduce(1, *)).map { _ in number(scale) }
        return Tensor(extents: extents, values) ?? Tensor(vector: values)
    }
}
