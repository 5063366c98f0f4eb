import CKernels
import Foundation
import Testing

@Suite("Resizing and sampling")
struct SamplingTests {
    /// An axis with random taps; some coordinates are outside.
    private func axis(_ noise: inout Noise, _ source: Int, _ output: Int, _ taps: Int) -> ([Int32], [Float]) {
        var index = (0..<output * taps).map { _ in Int32(noise.index(source)) }
        if output > 3 { index[2 * taps] = -1 }
        let weights = taps == 1 ? [Float](repeating: 1, count: output) : noise.floats(output * taps)
        return (index, weights)
    }

    @Test("resizing is the separable sum of its tables", arguments: SimdKernels.available, [1, 2, 4, 7])
    func resize(kernels: SimdKernels, taps: Int) {
        var noise = Noise(81)
        for (channels, h, w, oh, ow) in [
            (1, 1, 1, 1, 1), (3, 4, 5, 9, 7), (16, 7, 3, 2, 5), (37, 6, 8, 5, 11),
        ] {
            let step = (channels + 15) / 16 * 16
            let (rows, rowWeights) = axis(&noise, h, oh, taps),
                (columns, columnWeights) = axis(&noise, w, ow, taps)
            let x = noise.floats(channels * h * w)
            var last = [Float](repeating: 0, count: h * w * step)
            for c in 0..<channels { for p in 0..<h * w { last[p * step + c] = x[c * h * w + p] } }
            var y = [Float](repeating: 9, count: channels * oh * ow),
                z = [Float](repeating: 9, count: oh * ow * step)
            rows.withUnsafeBufferPointer { rows in
                rowWeights.withUnsafeBufferPointer { rowWeights in
                    columns.withUnsafeBufferPointer { columns in
                        columnWeights.withUnsafeBufferPointer { columnWeights in
                            var shape = dcn_resize()
                            shape.height = dcn_axis(
                                source: h, output: oh, taps: taps, index: rows.baseAddress,
                                weights: rowWeights.baseAddress)
                            shape.width = dcn_axis(
                                source: w, output: ow, taps: taps, index: columns.baseAddress,
                                weights: columnWeights.baseAddress)
                            (shape.channels, shape.x_stride, shape.y_stride, shape.fill) = (
                                channels, step, step, 5
                            )
                            let scratch = UnsafeMutableRawPointer.allocate(
                                byteCount: dcn_resize_scratch(&shape), alignment: 64)
                            defer { scratch.deallocate() }
                            kernels.table.resize_rows_f32(&shape, x, &y, scratch, oh / 2, channels * oh)
                            kernels.table.resize_rows_f32(&shape, x, &y, scratch, 0, oh / 2)
                            kernels.table.resize_last_f32(&shape, last, &z, scratch, oh / 2, oh)
                            kernels.table.resize_last_f32(&shape, last, &z, scratch, 0, oh / 2)
                        }
                    }
                }
            }
            for p in 0..<oh * ow {
                let (i, j) = (p / ow, p % ow)
                for c in 0..<channels {
                    var expected = 0.0
                    for a in 0..<taps {
                        for b in 0..<taps where rows[i * taps] >= 0 && columns[j * taps] >= 0 {
                            let at = c * h * w + Int(rows[i * taps + a]) * w + Int(columns[j * taps + b])
                            expected +=
                                Double(rowWeights[i * taps + a]) * Double(columnWeights[j * taps + b])
                                * Double(x[at])
                        }
                    }
                    if rows[i * taps] < 0 || columns[j * taps] < 0 { expected = 5 }
                    #expect(agrees(y[c * oh * ow + p], expected, relative: 1e-5, absolute: 1e-5))
                    #expect(agrees(z[p * step + c], expected, relative: 1e-5, absolute: 1e-5))
                }
                for c in channels..<step { #expect(z[p * step + c] == 0) }
            }
        }
    }

    private func cubic(_ d: Double) -> Double {
        let a = -0.75, x = abs(d)
        if x <= 1 { return (a + 2) * x * x * x - (a + 3) * x * x + 1 }
        return x < 2 ? a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a : 0
    }

    @Test(
        "a grid is sampled by its definition", arguments: SimdKernels.available,
        [DCN_SAMPLE_BILINEAR, DCN_SAMPLE_NEAREST, DCN_SAMPLE_BICUBIC])
    func gridSample(kernels: SimdKernels, mode: dcn_sample_mode) {
        var noise = Noise(82)
        for outside in [DCN_OUTSIDE_ZEROS, DCN_OUTSIDE_BORDER, DCN_OUTSIDE_REFLECTION] {
            for corners in [0, 1] {
                for (channels, h, w) in [(1, 1, 1), (3, 5, 4), (18, 3, 9)] {
                    let step = (channels + 15) / 16 * 16, points = 40
                    var shape = dcn_grid_sample(
                        channels: channels, height: h, width: w, x_stride: step, y_stride: step,
                        points: points,
                        mode: mode, outside: outside, align_corners: Int32(corners))
                    var grid = noise.floats(2 * points, -2.5, 2.5)
                    (grid[4], grid[7], grid[8], grid[11]) = (.nan, .infinity, -.infinity, 1e30)
                    let x = noise.floats(channels * h * w)
                    var last = [Float](repeating: 0, count: h * w * step)
                    for c in 0..<channels { for p in 0..<h * w { last[p * step + c] = x[c * h * w + p] } }
                    var y = [Float](repeating: 9, count: channels * points),
                        z = [Float](repeating: 9, count: points * step)
                    for (begin, end) in [(7, points), (0, 7)] {
                        kernels.table.grid_sample_rows_f32(&shape, x, grid, &y, begin, end)
                        kernels.table.grid_sample_last_f32(&shape, last, grid, &z, begin, end)
                    }
                    for p in 0..<points {
                        let ordinary = abs(grid[2 * p]) < 10 && abs(grid[2 * p + 1]) < 10
                        for c in 0..<channels {
                            #expect(
                                agrees(
                                    z[p * step + c], Double(y[c * points + p]), relative: 1e-5, absolute: 1e-5
                                ))
                            guard ordinary else {
                                #expect(y[c * points + p].isFinite && y[c * points + p] != 9)
                                continue
                            }
                            let plane = Array(x[c * h * w..<(c + 1) * h * w])
                            let expected = value(
                                plane, h, w, Double(grid[2 * p + 1]), Double(grid[2 * p]), shape)
                            #expect(agrees(y[c * points + p], expected, relative: 1e-4, absolute: 2e-5))
                        }
                        for c in channels..<step { #expect(z[p * step + c] == 0) }
                    }
                }
            }
        }
    }

    private func value(_ x: [Float], _ h: Int, _ w: Int, _ gy: Double, _ gx: Double, _ s: dcn_grid_sample)
        -> Double
    {
        let aligned = s.align_corners != 0
        func inside(_ v: Double, _ n: Int) -> Double {
            let high = Double(n - 1)
            switch s.outside {
            case DCN_OUTSIDE_BORDER: return min(max(v, 0), high)
            case DCN_OUTSIDE_REFLECTION:
                let low = aligned ? 0 : -0.5, top = aligned ? high : high + 0.5
                guard top > low else { return 0 }
                var r = v
                while r < low || r > top { r = r < low ? 2 * low - r : 2 * top - r }
                return min(max(r, 0), high)
            default: return v
            }
        }
        func pixels(_ g: Double, _ n: Int) -> Double {
            aligned ? (g + 1) / 2 * Double(n - 1) : ((g + 1) * Double(n) - 1) / 2
        }
        func pixel(_ y: Double, _ x0: Double) -> Double {
            y >= 0 && y < Double(h) && x0 >= 0 && x0 < Double(w) ? Double(x[Int(y) * w + Int(x0)]) : 0
        }
        let (v, u) = (pixels(gy, h), pixels(gx, w))
        if s.mode == DCN_SAMPLE_BICUBIC {
            var sum = 0.0
            for i in -1...2 {
                for j in -1...2 {
                    let y = v.rounded(.down) + Double(i), x0 = u.rounded(.down) + Double(j)
                    sum += cubic(v - y) * cubic(u - x0) * pixel(inside(y, h), inside(x0, w))
                }
            }
            return sum
        }
        let (y, x0) = (inside(v, h), inside(u, w))
        if s.mode == DCN_SAMPLE_NEAREST {
            return pixel(y.rounded(.toNearestOrEven), x0.rounded(.toNearestOrEven))
        }
        var sum = 0.0
        for i in 0...1 {
            for j in 0...1 {
                let r = y.rounded(.down) + Double(i), k = x0.rounded(.down) + Double(j)
                sum += (1 - abs(y - r)) * (1 - abs(x0 - k)) * pixel(r, k)
            }
        }
        return sum
    }
}
