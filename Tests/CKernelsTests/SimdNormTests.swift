import CKernels
import Foundation
import Testing

private let sizes = [(1, 1, 0), (3, 2, 14), (5, 16, 0), (2, 17, 15), (70, 37, 11), (2, 1030, 0)]

private func softmax(_ x: [Double], logarithm: Bool) -> [Double] {
    let most = x.max() ?? 0
    let sum = x.reduce(0) { $0 + exp($1 - most) }
    return x.map { logarithm ? $0 - most - log(sum) : exp($0 - most) / sum }
}

@Suite("Normalisation")
struct NormalisationTests {
    @Test(
        "softmax of rows and of columns follows its formula", arguments: SimdKernels.available, [false, true])
    func softmaxes(kernels: SimdKernels, logarithm: Bool) {
        var noise = Noise(31)
        for (count, length, padding) in sizes {
            let step = length + padding
            let x = noise.floats(count * step, -20, 30)
            var shape = rows(count, length, padding: padding)
            var byRow = [Float](repeating: 9, count: count * step), byColumn = byRow
            kernels.table.softmax_rows_f32(logarithm ? 1 : 0, &shape, x, &byRow)
            kernels.table.softmax_columns_f32(logarithm ? 1 : 0, &shape, x, &byColumn)
            for r in 0..<count {
                let row = (0..<length).map { Double(x[r * step + $0]) }
                let got = Array(byRow[r * step..<r * step + length])
                let expected = softmax(row, logarithm: logarithm)
                #expect(mismatch(got, expected, relative: 5e-6, absolute: logarithm ? 4e-6 : 0, "row") == nil)
                #expect(byRow[r * step + length..<r * step + step].allSatisfy { $0 == 0 })
                #expect(byColumn[r * step + length..<r * step + step].allSatisfy { $0 == 0 })
            }
            for j in 0..<length {
                let column = (0..<count).map { Double(x[$0 * step + j]) }
                let got = (0..<count).map { byColumn[$0 * step + j] }
                let expected = softmax(column, logarithm: logarithm)
                #expect(
                    mismatch(got, expected, relative: 5e-6, absolute: logarithm ? 4e-6 : 0, "column") == nil)
            }
        }
    }

    @Test("softmax of huge and masked values stays finite", arguments: SimdKernels.available)
    func extremes(kernels: SimdKernels) {
        let x: [Float] = [3e38, -3e38, -.infinity, 3e38]
        var shape = rows(1, 4)
        var y = x
        kernels.table.softmax_rows_f32(0, &shape, x, &y)
        #expect(y == [0.5, 0, 0, 0.5])
        shape = rows(4, 1)
        kernels.table.softmax_columns_f32(0, &shape, x, &y)
        #expect(y == [0.5, 0, 0, 0.5])
    }

    @Test("moments and the norms of rows follow their formulas", arguments: SimdKernels.available)
    func layerNorm(kernels: SimdKernels) {
        var noise = Noise(32)
        for (count, length, padding) in sizes {
            let step = length + padding
            let x = noise.floats(count * step, 99, 101)
            let scale = noise.floats(length), bias = noise.floats(length)
            var shape = rows(count, length, padding: padding)
            var mean = [Float](repeating: 0, count: count), deviation = mean, variance = mean, first = mean
            var y = [Float](repeating: 9, count: count * step), plain = y, rms = y
            kernels.table.layer_norm_rows_f32(&shape, 1e-5, x, scale, bias, &y, &mean, &deviation)
            kernels.table.layer_norm_rows_f32(&shape, 1e-5, x, nil, nil, &plain, nil, nil)
            kernels.table.rms_norm_rows_f32(&shape, 1e-5, x, scale, &rms)
            kernels.table.moments_rows_f32(&shape, x, &first, &variance)
            for r in 0..<count {
                let row = (0..<length).map { Double(x[r * step + $0]) }
                let m = row.reduce(0, +) / Double(length)
                let v = row.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(length)
                let factor = 1 / (v + 1e-5).squareRoot()
                let power = row.reduce(0) { $0 + $1 * $1 } / Double(length)
                #expect(agrees(first[r], m, relative: 1e-6) && agrees(mean[r], m, relative: 1e-6))
                #expect(agrees(variance[r], v, relative: 1e-4, absolute: 1e-9))
                #expect(agrees(deviation[r], factor, relative: 1e-4))
                for j in 0..<length {
                    let normal = (row[j] - m) * factor
                    #expect(agrees(plain[r * step + j], normal, relative: 1e-4, absolute: 2e-3))
                    let moved = normal * Double(scale[j]) + Double(bias[j])
                    #expect(agrees(y[r * step + j], moved, relative: 1e-4, absolute: 2e-3))
                    let whitened = row[j] / (power + 1e-5).squareRoot() * Double(scale[j])
                    #expect(agrees(rms[r * step + j], whitened, relative: 1e-6))
                }
                #expect(y[r * step + length..<r * step + step].allSatisfy { $0 == 0 })
            }
        }
    }

    @Test("moments of columns follow their formula", arguments: SimdKernels.available)
    func columnMoments(kernels: SimdKernels) {
        var noise = Noise(33)
        for (count, length, padding) in sizes {
            let step = length + padding
            let x = noise.floats(count * step, -1, 3)
            var shape = rows(count, length, padding: padding)
            var mean = [Float](repeating: 0, count: length), variance = mean
            kernels.table.moments_columns_f32(&shape, x, &mean, &variance)
            for j in 0..<length {
                let column = (0..<count).map { Double(x[$0 * step + j]) }
                let m = column.reduce(0, +) / Double(count)
                let v = column.reduce(0) { $0 + ($1 - m) * ($1 - m) } / Double(count)
                #expect(agrees(mean[j], m, relative: 1e-6, absolute: 1e-6))
                #expect(agrees(variance[j], v, relative: 1e-5, absolute: 1e-9))
            }
        }
    }

    @Test("scale, shift and activation by row and by column", arguments: SimdKernels.available)
    func scaleShift(kernels: SimdKernels) {
        var noise = Noise(34)
        for (count, length, padding) in sizes {
            let step = length + padding
            let x = noise.floats(count * step)
            let perRow = noise.floats(count), perColumn = noise.floats(length)
            let rowShift = noise.floats(count), columnShift = noise.floats(length)
            var shape = rows(count, length, padding: padding)
            var byRow = [Float](repeating: 9, count: count * step), byColumn = byRow
            kernels.table.scale_shift_rows_f32(DCN_UNARY_RELU, 0, 0, &shape, x, perRow, rowShift, &byRow)
            kernels.table.scale_shift_columns_f32(
                DCN_UNARY_IDENTITY, 0, 0, &shape, x, perColumn, columnShift, &byColumn)
            for r in 0..<count {
                for j in 0..<step {
                    let value = Double(x[r * step + j])
                    let row = j < length ? max(value * Double(perRow[r]) + Double(rowShift[r]), 0) : 0
                    let column = j < length ? value * Double(perColumn[j]) + Double(columnShift[j]) : 0
                    #expect(agrees(byRow[r * step + j], row, relative: 1e-6, absolute: 1e-7))
                    #expect(agrees(byColumn[r * step + j], column, relative: 1e-6, absolute: 1e-7))
                }
            }
        }
    }

    @Test(
        "local response normalisation in both layouts", arguments: SimdKernels.available,
        [0.75, 0.6] as [Float])
    func lrn(kernels: SimdKernels, beta: Float) {
        var noise = Noise(35)
        for (channels, pixels) in [(1, 3), (5, 4), (17, 19), (40, 2)] {
            for size in [1, 2, 3, 5, 64] {
                let x = noise.floats(channels * pixels, -2, 2)
                var planes = rows(channels, pixels), last = rows(pixels, channels, padding: 3)
                var y = [Float](repeating: 9, count: x.count),
                    z = [Float](repeating: 9, count: pixels * (channels + 3))
                var turned: [Float] = []
                for p in 0..<pixels {
                    for c in 0..<channels { turned.append(x[c * pixels + p]) }
                    turned += [0, 0, 0]
                }
                kernels.table.lrn_rows_f32(&planes, size, 0.5, beta, 1.5, x, &y)
                kernels.table.lrn_last_f32(&last, size, 0.5, beta, 1.5, turned, &z)
                for c in 0..<channels {
                    for p in 0..<pixels {
                        let near = max(0, c - (size - 1) / 2)...min(channels - 1, c + size / 2)
                        let sum = near.reduce(0.0) { $0 + pow(Double(x[$1 * pixels + p]), 2) }
                        let expected =
                            Double(x[c * pixels + p]) / pow(1.5 + 0.5 / Double(size) * sum, Double(beta))
                        #expect(agrees(y[c * pixels + p], expected, relative: 2e-6))
                        #expect(agrees(z[p * (channels + 3) + c], expected, relative: 2e-6))
                    }
                }
                #expect(z.suffix(3) == [0, 0, 0])
            }
        }
    }
}
