/// A small generator of random numbers whose stream is fixed by its seed (SplitMix64).
package struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    /// Choices to be made first, two bytes each, last one first.
    private var choices: [UInt8] = []

    /// The stream of a seed.
    package init(seed: UInt64) { state = seed }

    /// A stream that begins with the choices that `bytes` hold, so that who changes a byte changes one choice.
    package init(following bytes: [UInt8]) {
        state = UInt64(bytes.count)
        choices = bytes.reversed()
    }

    /// The next 64 bits.
    package mutating func next() -> UInt64 {
        if choices.count >= 2 {
            let (high, low) = (choices.removeLast(), choices.removeLast())
            return UInt64(high) << 56 | UInt64(low) << 48
        }
        state &+= 0x9E37_79B9_7F4A_7C15
        var bits = state
        bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
        return bits ^ (bits >> 31)
    }

    /// True once in `count` times.
    package mutating func once(in count: Int) -> Bool { Int.random(in: 0..<count, using: &self) == 0 }

    /// One of `choices`, which must not be empty.
    package mutating func one<T>(of choices: [T]) -> T {
        choices[Int.random(in: 0..<choices.count, using: &self)]
    }
}
