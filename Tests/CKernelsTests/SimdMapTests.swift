import CKernels
import Foundation
import Testing

/// One map: its formula in double precision and how far float32 may be from it.
struct UnaryCase: CustomTestStringConvertible, Sendable {
    let op: dcn_unary
    let name: String
    var alpha: Float = 0
    var beta: Float = 0
    var ulps: Double = 0
    /// Allowed beyond that, as a share of |x|.
    var share: Double = 0
    let formula: @Sendable (Double) -> Double
    var testDescription: String { name }
}

private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }
private func sigmoid(_ x: Double) -> Double { x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x)) }
private func clamp(_ x: Double, _ low: Double, _ high: Double) -> Double {
    x < low ? low : x > high ? high : x
}
private let selu = (alpha: Float(1.6732632), beta: Float(1.050701))

private let cases: [UnaryCase] = [
    UnaryCase(op: DCN_UNARY_IDENTITY, name: "identity") { $0 },
    UnaryCase(op: DCN_UNARY_RELU, name: "relu") { $0 < 0 ? 0 : $0 },
    UnaryCase(op: DCN_UNARY_LEAKY_RELU, name: "leaky", alpha: 0.25) { $0 < 0 ? 0.25 * $0 : $0 },
    UnaryCase(op: DCN_UNARY_CLIP, name: "clip", alpha: -0.5, beta: 6) { clamp($0, -0.5, 6) },
    UnaryCase(op: DCN_UNARY_SIGMOID, name: "sigmoid", ulps: 4, formula: sigmoid),
    UnaryCase(op: DCN_UNARY_SILU, name: "silu", alpha: 1, ulps: 4, share: 3e-38) {
        $0 == -.infinity ? 0 : $0 * sigmoid($0)
    },
    UnaryCase(op: DCN_UNARY_TANH, name: "tanh", ulps: 4, formula: { tanh($0) }),
    UnaryCase(op: DCN_UNARY_GELU, name: "gelu", share: 4) {
        $0 == -.infinity ? 0 : $0 * erfc(-$0 / 2.0.squareRoot()) / 2
    },
    UnaryCase(op: DCN_UNARY_GELU_TANH, name: "gelu tanh", share: 4) {
        $0 < -30 ? 0 : $0 * sigmoid(2 * (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0))
    },
    UnaryCase(op: DCN_UNARY_EXP, name: "exp", ulps: 2, formula: { exp($0) }),
    UnaryCase(op: DCN_UNARY_LOG, name: "log", ulps: 2, formula: { $0 < 0 ? .nan : log($0) }),
    UnaryCase(op: DCN_UNARY_SQRT, name: "sqrt", ulps: 0.5, formula: { $0.squareRoot() }),
    UnaryCase(op: DCN_UNARY_RSQRT, name: "rsqrt", ulps: 1.5, formula: { 1 / $0.squareRoot() }),
    UnaryCase(op: DCN_UNARY_RECIPROCAL, name: "reciprocal", ulps: 0.5, formula: { 1 / $0 }),
    UnaryCase(op: DCN_UNARY_NEG, name: "neg", formula: { -$0 }),
    UnaryCase(op: DCN_UNARY_ABS, name: "abs", formula: { abs($0) }),
    UnaryCase(op: DCN_UNARY_FLOOR, name: "floor", formula: { $0.rounded(.down) }),
    UnaryCase(op: DCN_UNARY_CEIL, name: "ceil", formula: { $0.rounded(.up) }),
    UnaryCase(op: DCN_UNARY_ROUND, name: "round", formula: { $0.rounded(.toNearestOrEven) }),
    UnaryCase(op: DCN_UNARY_ERF, name: "erf", ulps: 4, formula: { erf($0) }),
    UnaryCase(op: DCN_UNARY_SOFTPLUS, name: "softplus", ulps: 4, formula: softplus),
    UnaryCase(op: DCN_UNARY_SOFTSIGN, name: "softsign", ulps: 1.5) {
        $0.isInfinite ? ($0 < 0 ? -1 : 1) : $0 / (1 + abs($0))
    },
    UnaryCase(op: DCN_UNARY_ELU, name: "elu", alpha: 1.5, ulps: 4) { $0 < 0 ? 1.5 * expm1($0) : $0 },
    UnaryCase(op: DCN_UNARY_SELU, name: "selu", alpha: selu.alpha, beta: selu.beta, ulps: 4) {
        Double(selu.beta) * ($0 > 0 ? $0 : Double(selu.alpha) * expm1($0))
    },
    UnaryCase(op: DCN_UNARY_CELU, name: "celu", alpha: 2, ulps: 4) { $0 < 0 ? 2 * expm1($0 / 2) : $0 },
    UnaryCase(op: DCN_UNARY_HARD_SIGMOID, name: "hard sigmoid", alpha: 0.25, beta: 0.5, ulps: 1) {
        clamp($0 * 0.25 + 0.5, 0, 1)
    },
    UnaryCase(op: DCN_UNARY_HARD_SWISH, name: "hard swish", share: 2) {
        $0 < -3 ? 0 : $0 * clamp($0 / 6 + 0.5, 0, 1)
    },
    UnaryCase(op: DCN_UNARY_MISH, name: "mish", ulps: 8, share: 3e-38) {
        $0 == -.infinity ? 0 : $0 < -30 ? $0 * exp($0) : $0 * tanh(softplus($0))
    },
    UnaryCase(op: DCN_UNARY_THRESHOLDED_RELU, name: "thresholded", alpha: 1) { $0 > 1 || $0.isNaN ? $0 : 0 },
    UnaryCase(op: DCN_UNARY_SIN, name: "sin", ulps: 2, formula: { sin($0) }),
    UnaryCase(op: DCN_UNARY_COS, name: "cos", ulps: 2, formula: { cos($0) }),
    UnaryCase(op: DCN_UNARY_SIGN, name: "sign", formula: { $0.isNaN ? $0 : $0 > 0 ? 1 : $0 < 0 ? -1 : 0 }),
    UnaryCase(op: DCN_UNARY_SQUARE, name: "square", ulps: 0.5, formula: { $0 * $0 }),
    UnaryCase(op: DCN_UNARY_AFFINE, name: "affine", alpha: 2, beta: 1, ulps: 1, formula: { 2 * $0 + 1 }),
    UnaryCase(op: DCN_UNARY_SHRINK, name: "shrink", alpha: 1.5, beta: 0.5, ulps: 0.5) {
        $0 < -1.5 ? $0 + 0.5 : $0 > 1.5 ? $0 - 0.5 : $0.isNaN ? $0 : 0
    },
]

/// Numbers of every kind: ordinary, tiny, huge, denormal, special.
private let operands: [Float] = {
    var noise = Noise(7)
    var all = noise.floats(700, -8, 8) + noise.floats(200, -1, 1) + noise.floats(200, -110, 110)
    all += noise.floats(60, -30000, 30000)
    for exponent in stride(from: -140, through: 127, by: 3) {
        let power = Float(sign: .plus, exponent: exponent, significand: 1)
        all += [power * 1.37, -power * 1.61]
    }
    all += [0, -0.0, 1, -1, 0.5, -0.5, 1.5, 2.5, -2.5, .infinity, -.infinity, .nan]
    all += [
        .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .greatestFiniteMagnitude, -.greatestFiniteMagnitude,
    ]
    return all + [
        8_388_607.5, 8_388_609, -8_388_607.5, 0.49999997, 3.1415927, 1.5707964, 88.7, 88.73, -103.9, -87.4,
    ]
}()

@Suite("Maps of one operand")
struct UnaryMapTests {
    @Test("stay within the stated distance of their formula", arguments: SimdKernels.available, cases)
    func accuracy(kernels: SimdKernels, map: UnaryCase) {
        var got = [Float](repeating: 9, count: operands.count)
        var shape = rows(1, operands.count)
        kernels.table.unary_f32(map.op, map.alpha, map.beta, &shape, operands, &got)
        for (x, y) in zip(operands, got) {
            let share = x.isFinite ? map.share * 0x1p-24 * Double(abs(x)) : 0
            let expected = map.formula(Double(x))
            #expect(
                agrees(y, expected, relative: map.ulps * 0x1p-23, absolute: share),
                "\(map.name)(\(x)) is \(y), expected \(expected)")
        }
    }

    @Test("give the same bits wherever a row is cut, and clear the padding", arguments: SimdKernels.available)
    func cuts(kernels: SimdKernels) {
        for map in cases {
            var whole = [Float](repeating: 9, count: 43)
            var shape = rows(1, 43)
            kernels.table.unary_f32(map.op, map.alpha, map.beta, &shape, operands, &whole)
            for start in [0, 1, 5, 17, 42] {
                var part = Array(operands[start..<43]) + [3, 3, 3]
                shape = dcn_rows(rows: 1, columns: 43 - start, x_row: 50, y_row: 50, padding: 2)
                part.withUnsafeMutableBufferPointer {
                    kernels.table.unary_f32(
                        map.op, map.alpha, map.beta, &shape, $0.baseAddress, $0.baseAddress)
                }
                #expect(
                    part.dropLast(3).map(\.bitPattern) == whole[start...].map(\.bitPattern), "\(map.name)")
                #expect(part.suffix(3) == [0, 0, 3])
            }
        }
    }
}
