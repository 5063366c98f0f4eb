import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct CausalConvTests {
    @Test(arguments: [1, 2, 4], [0, 1, 2, 7])
    func isTheSumOverTheRow(taps: Int, length: Int) throws {
        let x = scattered([2, 3, length], seed: 1)
        let w = scattered([3, 1, taps], seed: 2)
        let bias = scattered([3], seed: 3)
        let past = scattered([2, 3, taps - 1], seed: 4)
        let results = try run(CausalConvWithState(), [x, w, bias, past], outputs: 2)
        let given = [x, w, bias, past].map { $0.elements(as: Float.self).map(Double.init) }
        for row in 0..<6 {
            let z =
                (0..<taps - 1).map { given[3][row * (taps - 1) + $0] }
                + (0..<length).map { given[0][row * length + $0] }
            for t in 0..<length {
                let sum = (0..<taps).reduce(given[2][row % 3]) {
                    $0 + given[1][row % 3 * taps + $1] * z[t + $1]
                }
                #expect(abs(Double(results[0].elements(as: Float.self)[row * length + t]) - sum) < 1e-5)
            }
            for (place, value) in z.suffix(taps - 1).enumerated() {
                #expect(Double(results[1].elements(as: Float.self)[row * (taps - 1) + place]) == value)
            }
        }
    }

    @Test func swishComesLast() throws {
        let x = scattered([1, 2, 5], seed: 1)
        let w = scattered([2, 1, 3], seed: 2)
        let plain = try run(CausalConvWithState(), [x, w])[0]
        let bent = try run(CausalConvWithState(hasSwish: true), [x, w])[0].elements(as: Float.self)
        let expected = try run(Swish(), [plain])[0].elements(as: Float.self)
        for (a, b) in zip(bent, expected) { #expect(abs(a - b) < 1e-6) }
    }

    @Test func gatesMultiply() throws {
        let (a, b) = (scattered([3, 4], seed: 1), scattered([3, 4], seed: 2))
        let y = try run(SwiGLU(alpha: 1.5), [a, b])[0].elements(as: Float.self)
        let gates = try run(Swish(alpha: 1.5), [a])[0].elements(as: Float.self)
        for (index, factor) in b.elements(as: Float.self).enumerated() {
            #expect(abs(y[index] - gates[index] * factor) < 1e-6)
        }
        #expect(throws: Misfit.self) { try run(SwiGLU(), [a, scattered([1, 4], seed: 2)]) }
    }
}
