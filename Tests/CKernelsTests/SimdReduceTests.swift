import CKernels
import Foundation
import Testing

private let reductions: [(op: dcn_reduce, formula: @Sendable ([Double]) -> Double)] = [
    (DCN_REDUCE_SUM, { $0.reduce(0, +) }),
    (DCN_REDUCE_MEAN, { $0.reduce(0, +) / Double($0.count) }),
    (DCN_REDUCE_MAX, { $0.contains { $0.isNaN } ? .nan : $0.max() ?? -.infinity }),
    (DCN_REDUCE_MIN, { $0.contains { $0.isNaN } ? .nan : $0.min() ?? .infinity }),
    (DCN_REDUCE_PROD, { $0.reduce(1, *) }),
    (DCN_REDUCE_SUM_SQUARE, { $0.reduce(0) { $0 + $1 * $1 } }),
    (DCN_REDUCE_L1, { $0.reduce(0) { $0 + abs($1) } }),
    (DCN_REDUCE_L2, { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }),
    (DCN_REDUCE_LOG_SUM, { log($0.reduce(0, +)) }),
    (
        DCN_REDUCE_LOG_SUM_EXP,
        { row in
            let most = row.max() ?? 0
            return row.contains { $0.isNaN }
                ? .nan
                : most.isInfinite
                    ? (most < 0 ? -.infinity : .infinity)
                    : most + log(row.reduce(0) { $0 + exp($1 - most) })
        }
    ),
]

private let sizes = [(1, 1), (3, 2), (5, 16), (2, 17), (70, 37), (3, 1030), (130, 5)]

private func row(_ x: [Float], _ r: Int, _ columns: Int, _ step: Int) -> [Double] {
    (0..<columns).map { Double(x[r * step + $0]) }
}

@Suite("Reductions")
struct ReductionTests {
    @Test("of rows and of columns agree with sums in double precision", arguments: SimdKernels.available)
    func accuracy(kernels: SimdKernels) {
        var noise = Noise(21)
        for (count, length) in sizes {
            let step = length + 3
            let x = noise.floats(count * step, 0.5, 1.5)
            var shape = dcn_rows(rows: count, columns: length, x_row: step, y_row: 0, padding: 2)
            for (op, formula) in reductions {
                var byRow = [Float](repeating: 9, count: count),
                    byColumn = [Float](repeating: 9, count: length + 3)
                kernels.table.reduce_rows_f32(op, &shape, x, &byRow)
                kernels.table.reduce_columns_f32(op, &shape, x, &byColumn)
                let bound = op == DCN_REDUCE_PROD ? 2e-4 : 1e-6
                let rows = (0..<count).map { formula(row(x, $0, length, step)) }
                let columns = (0..<length).map { j in formula((0..<count).map { Double(x[$0 * step + j]) }) }
                #expect(mismatch(byRow, rows, relative: bound, absolute: 1e-7, "\(op) rows") == nil)
                #expect(
                    mismatch(
                        Array(byColumn.prefix(length)), columns, relative: bound, absolute: 1e-7, "\(op)")
                        == nil)
                #expect(byColumn.suffix(3) == [0, 0, 9])
            }
        }
    }

    @Test("give the same bits wherever columns are cut", arguments: SimdKernels.available)
    func cuts(kernels: SimdKernels) {
        var noise = Noise(22)
        let x = noise.floats(90 * 50)
        for (op, _) in reductions {
            var whole = [Float](repeating: 0, count: 50), part = whole
            var shape = dcn_rows(rows: 90, columns: 50, x_row: 50, y_row: 0, padding: 0)
            kernels.table.reduce_columns_f32(op, &shape, x, &whole)
            for (begin, end) in [(0, 7), (7, 40), (40, 50)] {
                shape.columns = end - begin
                x.withUnsafeBufferPointer { source in
                    part.withUnsafeMutableBufferPointer {
                        kernels.table.reduce_columns_f32(
                            op, &shape, source.baseAddress.map { $0 + begin },
                            $0.baseAddress.map { $0 + begin })
                    }
                }
            }
            #expect(whole.map(\.bitPattern) == part.map(\.bitPattern))
        }
    }

    @Test("keep NaN and infinities", arguments: SimdKernels.available)
    func special(kernels: SimdKernels) {
        for value in [Float.nan, .infinity, -.infinity] {
            for position in [0, 3, 20, 36] {
                var x = [Float](repeating: 0.5, count: 37)
                x[position] = value
                for (op, formula) in reductions {
                    var y: [Float] = [0]
                    var shape = dcn_rows(rows: 1, columns: 37, x_row: 37, y_row: 0, padding: 0)
                    kernels.table.reduce_rows_f32(op, &shape, x, &y)
                    let expected = formula(x.map(Double.init))
                    #expect(agrees(y[0], expected, relative: 1e-6), "\(op) \(value): \(y[0])")
                    shape = dcn_rows(rows: 37, columns: 1, x_row: 1, y_row: 0, padding: 0)
                    kernels.table.reduce_columns_f32(op, &shape, x, &y)
                    #expect(agrees(y[0], expected, relative: 1e-6), "\(op) \(value): \(y[0])")
                }
            }
        }
    }

    @Test("a long sum of equal terms keeps its digits", arguments: SimdKernels.available)
    func longSum(kernels: SimdKernels) {
        let count = 1_000_003
        let x = [Float](repeating: 0.1, count: count)
        var y: [Float] = [0]
        var shape = dcn_rows(rows: 1, columns: count, x_row: count, y_row: 0, padding: 0)
        kernels.table.reduce_rows_f32(DCN_REDUCE_SUM, &shape, x, &y)
        #expect(agrees(y[0], Double(Float(0.1)) * Double(count), relative: 1e-6))
        shape = dcn_rows(rows: count, columns: 1, x_row: 1, y_row: 0, padding: 0)
        kernels.table.reduce_columns_f32(DCN_REDUCE_SUM, &shape, x, &y)
        #expect(agrees(y[0], Double(Float(0.1)) * Double(count), relative: 1e-6))
    }

    @Test("the place of the greatest and least, first or last of equals", arguments: SimdKernels.available)
    func places(kernels: SimdKernels) {
        var noise = Noise(23)
        for (count, length) in sizes {
            var x = (0..<count * length).map { _ in Float(noise.index(4)) }
            if length > 3 { x[noise.index(x.count)] = .nan }
            var shape = dcn_rows(rows: count, columns: length, x_row: length, y_row: 0, padding: 0)
            for (least, last) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
                func place(_ values: [Float]) -> Int64 {
                    var best = 0
                    for (i, value) in values.enumerated().dropFirst() {
                        let current = values[best]
                        if current.isNaN {
                            if last == 1 && value.isNaN { best = i }
                        } else if value.isNaN
                            || (least == 1 ? value < current : value > current)
                            || (last == 1 && value == current)
                        {
                            best = i
                        }
                    }
                    return Int64(best)
                }
                var rows = [Int64](repeating: -1, count: count),
                    columns = [Int64](repeating: -1, count: length)
                kernels.table.arg_rows_f32(Int32(least), Int32(last), &shape, x, &rows)
                kernels.table.arg_columns_f32(Int32(least), Int32(last), &shape, x, &columns)
                #expect(rows == (0..<count).map { r in place((0..<length).map { x[r * length + $0] }) })
                #expect(columns == (0..<length).map { j in place((0..<count).map { x[$0 * length + j] }) })
            }
        }
    }
}
