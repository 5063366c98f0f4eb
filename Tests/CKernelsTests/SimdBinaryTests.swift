import CKernels
import Foundation
import Testing

/// The ways an operand may be spread over rows: (row stride in rows, column stride).
private let spreads: [(row: Int, column: Int)] = [(1, 1), (0, 1), (1, 0), (0, 0)]

private func spread(_ rows: Int, _ columns: Int, _ form: (row: Int, column: Int)) -> (row: Int, column: Int) {
    form.column == 1 ? (form.row * columns, 1) : (form.row, 0)
}

private func broadcast(
    _ rows: Int, _ columns: Int, _ a: (row: Int, column: Int), _ b: (row: Int, column: Int), padding: Int = 0
) -> dcn_broadcast {
    var shape = dcn_broadcast()
    (shape.rows, shape.columns, shape.padding, shape.y_row) = (rows, columns, padding, columns + padding)
    (shape.a_row, shape.a_column) = spread(rows, columns, a)
    (shape.b_row, shape.b_column) = spread(rows, columns, b)
    return shape
}

private let floatOps: [(op: dcn_binary, formula: @Sendable (Double, Double) -> Double)] = [
    (DCN_BINARY_ADD, { $0 + $1 }), (DCN_BINARY_SUB, { $0 - $1 }), (DCN_BINARY_MUL, { $0 * $1 }),
    (DCN_BINARY_DIV, { $0 / $1 }),
    (DCN_BINARY_MAX, { $0.isNaN || $1.isNaN ? .nan : Swift.max($0, $1) }),
    (DCN_BINARY_MIN, { $0.isNaN || $1.isNaN ? .nan : Swift.min($0, $1) }),
    (DCN_BINARY_POW, { pow($0, $1) }), (DCN_BINARY_PRELU, { $0 < 0 ? $0 * $1 : $0 }),
]

@Suite("Maps of two operands")
struct BinaryMapTests {
    @Test("follow their formula for every broadcast form", arguments: SimdKernels.available)
    func forms(kernels: SimdKernels) {
        var noise = Noise(3)
        for (rows, columns, padding) in [(1, 1, 0), (3, 7, 0), (2, 16, 0), (5, 33, 15), (4, 1, 3), (2, 0, 2)]
        {
            for first in spreads {
                for second in spreads {
                    for (op, formula) in floatOps {
                        let a = noise.floats(rows * columns + 1, -3, 3),
                            b = noise.floats(rows * columns + 1, -3, 3)
                        var shape = broadcast(rows, columns, first, second, padding: padding)
                        var y = [Float](repeating: 7, count: rows * (columns + padding) + 1)
                        kernels.table.binary_f32(op, &shape, a, b, &y)
                        for r in 0..<rows {
                            for j in 0..<columns {
                                let u = Double(a[r * shape.a_row + j * shape.a_column])
                                let v = Double(b[r * shape.b_row + j * shape.b_column])
                                let got = y[r * shape.y_row + j]
                                #expect(
                                    agrees(got, formula(u, v), relative: 0x1p-23), "\(op) \(u) \(v): \(got)")
                            }
                            for j in 0..<padding { #expect(y[r * shape.y_row + columns + j] == 0) }
                        }
                        #expect(y.last == 7)
                    }
                }
            }
        }
    }

    @Test("treat special numbers as C does", arguments: SimdKernels.available)
    func special(kernels: SimdKernels) {
        let kinds: [Float] = [
            0, -0.0, 1, -1, 2, -2, 3, -3, 0.5, -0.5, 0x1p-132, -0x1p-132, 1e30, -1e30, 88.5, .infinity,
            -.infinity, .nan,
        ]
        let a = kinds.flatMap { kind in kinds.map { _ in kind } }, b = kinds.flatMap { _ in kinds }
        for (op, formula) in floatOps {
            var shape = broadcast(1, a.count, (1, 1), (1, 1))
            var y = a
            y.withUnsafeMutableBufferPointer {
                kernels.table.binary_f32(op, &shape, $0.baseAddress, b, $0.baseAddress)
            }
            for i in y.indices {
                let expected = formula(Double(a[i]), Double(b[i]))
                #expect(agrees(y[i], expected, relative: 0x1p-23), "\(op): \(a[i]), \(b[i]): \(y[i])")
            }
        }
    }

    @Test("pow keeps to two units in the last place", arguments: SimdKernels.available)
    func powers(kernels: SimdKernels) {
        var noise = Noise(11)
        let a = noise.floats(4000, 0, 9) + noise.floats(2000, 0.9, 1.1) + noise.floats(500, 0, 1e-30)
        let b = noise.floats(4000, -40, 40) + noise.floats(2000, -900, 900) + noise.floats(500, -1.3, 1.3)
        var shape = broadcast(1, a.count, (1, 1), (1, 1))
        var y = a
        kernels.table.binary_f32(DCN_BINARY_POW, &shape, a, b, &y)
        let expected = zip(a, b).map { pow(Double($0), Double($1)) }
        #expect(mismatch(y, expected, relative: 0x1p-23, "pow") == nil)
    }

    @Test("a sum and its activation equal the two apart", arguments: SimdKernels.available)
    func addActivate(kernels: SimdKernels) {
        var noise = Noise(5)
        for (rows, columns, padding) in [(3, 5, 11), (2, 2050, 0), (1, 1024, 0)] {
            let a = noise.floats(rows * columns, -3, 3), b = noise.floats(rows * columns, -3, 3)
            for (form, act) in zip(
                spreads, [DCN_UNARY_RELU, DCN_UNARY_SILU, DCN_UNARY_CLIP, DCN_UNARY_IDENTITY])
            {
                var shape = broadcast(rows, columns, (1, 1), form, padding: padding)
                var sum = [Float](repeating: 1, count: rows * (columns + padding)), fused = sum
                kernels.table.add_activate_f32(act, 1, 2, &shape, a, b, &fused)
                kernels.table.binary_f32(DCN_BINARY_ADD, &shape, a, b, &sum)
                var map = CKernelsTests.rows(rows, columns, padding: padding)
                sum.withUnsafeMutableBufferPointer {
                    kernels.table.unary_f32(act, 1, 2, &map, $0.baseAddress, $0.baseAddress)
                }
                #expect(sum == fused)
            }
        }
    }

    @Test("integers wrap and divide by zero to zero", arguments: SimdKernels.available)
    func integers(kernels: SimdKernels) {
        let kinds: [Int32] = [0, 1, -1, 7, -9, .max, .min, 1 << 20, -(1 << 19)]
        let a = kinds.flatMap { kind in kinds.map { _ in kind } }, b = kinds.flatMap { _ in kinds }
        let formulas: [(dcn_binary, (Int32, Int32) -> Int32)] = [
            (DCN_BINARY_ADD, { $0 &+ $1 }), (DCN_BINARY_SUB, { $0 &- $1 }), (DCN_BINARY_MUL, { $0 &* $1 }),
            (DCN_BINARY_DIV, { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }),
            (DCN_BINARY_MAX, { max($0, $1) }), (DCN_BINARY_MIN, { min($0, $1) }),
        ]
        var shape = broadcast(1, a.count, (1, 1), (1, 1))
        for (op, formula) in formulas {
            var y = a
            kernels.table.binary_i32(op, &shape, a, b, &y)
            #expect(y == zip(a, b).map(formula))
            let wideA = a.map { Int64($0) << 32 }, wideB = b.map { Int64($0) }
            var wide = wideA
            kernels.table.binary_i64(op, &shape, wideA, wideB, &wide)
            let low = zip(wideA, wideB).map { u, v -> Int64 in
                switch op {
                case DCN_BINARY_ADD: u &+ v
                case DCN_BINARY_SUB: u &- v
                case DCN_BINARY_MUL: u &* v
                case DCN_BINARY_DIV: v == 0 ? 0 : u.dividedReportingOverflow(by: v).partialValue
                case DCN_BINARY_MAX: max(u, v)
                default: min(u, v)
                }
            }
            #expect(wide == low)
        }
    }

    @Test("comparisons answer with bytes, and with 0 for NaN", arguments: SimdKernels.available)
    func comparisons(kernels: SimdKernels) {
        let kinds: [Float] = [0, -0.0, 1, -1, 2.5, .infinity, -.infinity, .nan]
        let a = kinds.flatMap { kind in kinds.map { _ in kind } }, b = kinds.flatMap { _ in kinds }
        var shape = broadcast(1, a.count, (1, 1), (1, 1))
        let formulas: [(dcn_compare, (Float, Float) -> Bool)] = [
            (DCN_COMPARE_EQUAL, { $0 == $1 }), (DCN_COMPARE_LESS, { $0 < $1 }),
            (DCN_COMPARE_LESS_OR_EQUAL, { $0 <= $1 }),
            (DCN_COMPARE_GREATER, { $0 > $1 }), (DCN_COMPARE_GREATER_OR_EQUAL, { $0 >= $1 }),
        ]
        for (op, formula) in formulas {
            let expected = zip(a, b).map { formula($0, $1) ? UInt8(1) : 0 }
            var y = [UInt8](repeating: 9, count: a.count)
            kernels.table.compare_f32(op, &shape, a, b, &y)
            #expect(y == expected)
            kernels.table.compare_f64(op, &shape, a.map(Double.init), b.map(Double.init), &y)
            #expect(y == expected)
            let whole = a.map { Int64($0.isFinite ? $0 * 4 : 3) },
                other = b.map { Int64($0.isFinite ? $0 * 4 : 3) }
            let ordered = zip(whole, other).map { formula(Float($0), Float($1)) ? UInt8(1) : 0 }
            kernels.table.compare_i64(op, &shape, whole, other, &y)
            #expect(y == ordered)
            kernels.table.compare_i32(op, &shape, whole.map(Int32.init), other.map(Int32.init), &y)
            #expect(y == ordered)
        }
    }

    @Test("where chooses elements of every width", arguments: SimdKernels.available)
    func choice(kernels: SimdKernels) {
        var noise = Noise(13)
        for width in [1, 2, 4, 8, 16] {
            let count = 37
            let c = (0..<count).map { _ in UInt8(noise.index(2)) }
            let a = (0..<count * width).map { UInt8(truncatingIfNeeded: $0) }, b = a.map { ~$0 }
            var shape = broadcast(1, count, (1, 1), (1, 1))
            (shape.c_row, shape.c_column) = (count, 1)
            var y = [UInt8](repeating: 0, count: count * width)
            kernels.table.where(width, &shape, c, a, b, &y)
            #expect(y == a.indices.map { c[$0 / width] != 0 ? a[$0] : b[$0] })
            shape.b_column = 0
            kernels.table.where(width, &shape, c, a, b, &y)
            #expect(y == a.indices.map { c[$0 / width] != 0 ? a[$0] : b[$0 % width] })
        }
    }
}
