#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The generator MT19937 of Matsumoto and Nishimura: the same seed gives the numbers that NumPy's `RandomState` gives.
struct MersenneTwister {
    private static let size = 624
    private var state: [UInt32]
    private var position = size
    private var spare: Double?

    /// A generator begun with the low 32 bits of a seed, or with chance.
    init(seed: Int?) {
        var word = seed.map { UInt32(truncatingIfNeeded: $0) } ?? UInt32.random(in: 0 ... .max)
        state = (0..<Self.size).map { index in
            defer { word = 1_812_433_253 &* (word ^ word >> 30) &+ UInt32(index + 1) }
            return word
        }
    }

    /// 32 random bits.
    mutating func next() -> UInt32 {
        if position == Self.size { refill() }
        var word = state[position]
        position += 1
        word ^= word >> 11
        word ^= word << 7 & 0x9D2C_5680
        word ^= word << 15 & 0xEFC6_0000
        return word ^ word >> 18
    }

    private mutating func refill() {
        for index in 0..<Self.size {
            let mixed = state[index] & 0x8000_0000 | state[(index + 1) % Self.size] & 0x7FFF_FFFF
            let twisted = mixed >> 1 ^ (mixed & 1 == 0 ? 0 : 0x9908_B0DF)
            state[index] = state[(index + 397) % Self.size] ^ twisted
        }
        position = 0
    }

    /// A number from 0 up to, not including, 1, of 53 random bits.
    mutating func nextUnit() -> Double {
        let high = next() >> 5
        let low = next() >> 6
        return (Double(high) * 67_108_864 + Double(low)) / 9_007_199_254_740_992
    }

    /// A number of the normal distribution of mean 0 and deviation 1, by Marsaglia's polar method.
    mutating func nextNormal() -> Double {
        if let spare {
            self.spare = nil
            return spare
        }
        while true {
            let x = 2 * nextUnit() - 1
            let y = 2 * nextUnit() - 1
            let square = x * x + y * y
            guard square < 1, square > 0 else { continue }
            let scale = (-2 * log(square) / square).squareRoot()
            spare = scale * x
            return scale * y
        }
    }
}
