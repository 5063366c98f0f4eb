/// A discrete Fourier transform of one length, in double precision: powers of two by halving, others through one (Bluestein).
final class FourierPlan: Sendable {
    let length: Int
    /// e^(−2πi k / n) for the padded power of two.
    private let roots: [SIMD2<Double>]
    /// e^(−πi k² / length), where the length is no power of two.
    private let chirp: [SIMD2<Double>]
    /// The transform of the conjugate chirp.
    private let filter: [SIMD2<Double>]
    let padded: Int

    init(_ length: Int) {
        self.length = length
        let isPower = length & (length - 1) == 0
        var padded = max(1, length)
        if !isPower {
            padded = 1
            while padded < 2 * length - 1 { padded *= 2 }
        }
        self.padded = padded
        let half = padded
        let roots = (0..<max(1, half / 2)).map { Self.root(-2 * .pi * Double($0) / Double(half)) }
        self.roots = roots
        guard !isPower else {
            (chirp, filter) = ([], [])
            return
        }
        let chirp = (0..<length).map { Self.root(-.pi * Double($0 * $0 % (2 * length)) / Double(length)) }
        var filter = [SIMD2<Double>](repeating: .zero, count: padded)
        for k in 0..<length {
            filter[k] = SIMD2(chirp[k].x, -chirp[k].y)
            if k > 0 { filter[padded - k] = filter[k] }
        }
        filter.withUnsafeMutableBufferPointer {
            if let base = $0.baseAddress { Self.power(base, padded, roots) }
        }
        (self.chirp, self.filter) = (chirp, filter)
    }

    private static func root(_ angle: Double) -> SIMD2<Double> {
        SIMD2(Elementary.cos(angle), Elementary.sin(angle))
    }

    @inline(__always)
    private static func product(_ a: SIMD2<Double>, _ b: SIMD2<Double>) -> SIMD2<Double> {
        SIMD2(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x)
    }

    /// Transforms the first `length` of `padded` elements in place; the inverse is not divided by the length.
    func run(_ x: UnsafeMutablePointer<SIMD2<Double>>, isInverse: Bool) {
        if isInverse { for k in 0..<length { x[k].y = -x[k].y } }
        if chirp.isEmpty {
            Self.power(x, padded, roots)
        } else {
            for k in 0..<length { x[k] = Self.product(x[k], chirp[k]) }
            for k in length..<padded { x[k] = .zero }
            Self.power(x, padded, roots)
            for k in 0..<padded {
                let value = Self.product(x[k], filter[k])
                x[k] = SIMD2(value.x, -value.y)
            }
            Self.power(x, padded, roots)
            for k in 0..<length { x[k] = Self.product(SIMD2(x[k].x, -x[k].y) / Double(padded), chirp[k]) }
        }
        if isInverse { for k in 0..<length { x[k].y = -x[k].y } }
    }

    /// A power of two in place: bits reversed, then butterflies.
    private static func power(
        _ x: UnsafeMutablePointer<SIMD2<Double>>, _ count: Int, _ roots: [SIMD2<Double>]
    ) {
        guard count > 1 else { return }
        let shift = Int.bitWidth - count.trailingZeroBitCount
        for k in 0..<count {
            let other = Int(bitPattern: reversed(UInt(bitPattern: k)) >> UInt(shift))
            if other > k { (x[k], x[other]) = (x[other], x[k]) }
        }
        var half = 1
        while half < count {
            let step = count / (2 * half)
            for start in stride(from: 0, to: count, by: 2 * half) {
                for k in 0..<half {
                    let odd = product(x[start + half + k], roots[k * step])
                    let even = x[start + k]
                    x[start + k] = even + odd
                    x[start + half + k] = even - odd
                }
            }
            half *= 2
        }
    }

    private static func reversed(_ value: UInt) -> UInt {
        var (value, result) = (value, UInt(0))
        for _ in 0..<UInt.bitWidth {
            result = result << 1 | value & 1
            value >>= 1
        }
        return result
    }
}
