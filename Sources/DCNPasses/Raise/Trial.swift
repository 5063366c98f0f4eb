internal import DCNGraph

/// Seeded data on which a decomposition and the operator raised from it are compared.
struct Trial {
    private var state: UInt64

    init(seed: UInt64) { state = 0x9E37_79B9_7F4A_7C15 &* (seed &+ 1) }

    private mutating func bits() -> UInt64 {
        state = state &+ 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// A number in −1 … 1.
    mutating func number() -> Float { Float(Int64(bitPattern: bits()) >> 39) / Float(1 << 24) }

    /// Numbers in −1 … 1.
    mutating func tensor(_ extents: [Int]) -> Tensor? {
        Tensor(extents: extents, (0..<extents.reduce(1, *)).map { _ in number() })
    }

    /// Offsets of some pixels: as many far ones as near ones, and whole numbers, which meet every edge exactly.
    mutating func offsets(_ extents: [Int], image: [Int]) -> Tensor? {
        let reach = Float(image.max() ?? 1) + 2
        let values = (0..<extents.reduce(1, *)).map { _ in
            switch bits() % 4 {
            case 0: (number() * reach).rounded()
            case 1: number() * reach
            case 2: (number() * 3).rounded()
            default: number() * 5
            }
        }
        return Tensor(extents: extents, values)
    }

    /// The same number everywhere.
    static func filled(_ extents: [Int], _ value: Float) -> Tensor? {
        Tensor(extents: extents, [Float](repeating: value, count: extents.reduce(1, *)))
    }

    /// Each element its index along an axis.
    static func ramp(_ extents: [Int], along axis: Int) -> Tensor? {
        let inner = extents[(axis + 1)...].reduce(1, *)
        return Tensor(extents: extents, (0..<extents.reduce(1, *)).map { Float($0 / inner % extents[axis]) })
    }

    /// Whether two answers are the same up to rounding: a ten-thousandth of the largest.
    static func agree(_ got: Tensor, _ expected: Tensor) -> Bool {
        guard got.extents == expected.extents, expected.type.element == .float32 else { return false }
        let (a, b) = (got.elements(as: Float.self), expected.elements(as: Float.self))
        guard a.count == b.count, let scale = b.map(abs).max(), scale > 0, scale.isFinite else {
            return false
        }
        return zip(a, b).allSatisfy { abs($0 - $1) <= 1e-4 * scale }
    }
}
