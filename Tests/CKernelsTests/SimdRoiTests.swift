import CKernels
import Foundation
import Testing

private func isOrdinary(_ row: ArraySlice<Float>) -> Bool { row.allSatisfy { $0.isFinite && abs($0) < 5000 } }

private func axis(_ s: dcn_roi, _ low: Float, _ high: Float, _ pooled: Int) -> (
    start: Float, bin: Float, grid: Int, size: Float
) {
    let start = low * s.scale - s.offset
    let size = max(high * s.scale - s.offset - start, s.minimum)
    let bin = size / Float(pooled)
    let grid = s.sampling_ratio > 0 ? Int(s.sampling_ratio) : Int(bin.rounded(.up))
    return (start, bin, max(grid, 0), size)
}

@Suite("Regions of interest")
struct RoiTests {
    @Test(
        "RoiAlign visits the samples of its definition", arguments: SimdKernels.available,
        [DCN_ROI_AVERAGE, DCN_ROI_MAX, DCN_ROI_MAX_CORNER])
    func align(kernels: SimdKernels, mode: dcn_roi_mode) {
        var noise = Noise(61)
        for turn in 0..<10 {
            var test = RoiCase(&noise, channels: [1, 5, 16, 37, 67][turn % 5])
            test.shape.mode = mode
            test.shape.initial = turn % 2 == 0 ? -10000 : 0
            test.shape.sampling_ratio = Int32(turn % 3)
            (test.shape.offset, test.shape.minimum) = turn % 4 < 2 ? (0.5, -.infinity) : (0, 1)
            let y = test.run(kernels.table.roi_align_f32)
            for r in 0..<test.count {
                check(y, test, r, "\(mode) turn \(turn) region \(r)") { ph, pw, n, c in
                    let row = test.rois[r * 5..<r * 5 + 5].map { $0 }
                    let ay = axis(test.shape, row[2], row[4], test.shape.pooled_height)
                    let ax = axis(test.shape, row[1], row[3], test.shape.pooled_width)
                    var samples: [[Double]?] = []
                    for i in 0..<ay.grid {
                        for j in 0..<ax.grid {
                            let v = ay.start + Float(ph) * ay.bin + (Float(i) + 0.5) * ay.bin / Float(ay.grid)
                            let h = ax.start + Float(pw) * ax.bin + (Float(j) + 0.5) * ax.bin / Float(ax.grid)
                            samples.append(test.corners(n, c, v, h))
                        }
                    }
                    let values = samples.map { $0?.reduce(0, +) ?? 0 }
                    switch mode {
                    case DCN_ROI_AVERAGE: return values.reduce(0, +) / Double(max(values.count, 1))
                    case DCN_ROI_MAX: return values.reduce(Double(test.shape.initial)) { max($0, $1) }
                    default: return samples.map { $0?.max() ?? 0 }.max() ?? 0
                    }
                }
            }
        }
    }

    @Test("rotated regions follow their angle", arguments: SimdKernels.available)
    func rotated(kernels: SimdKernels) {
        var noise = Noise(62)
        for turn in 0..<8 {
            var test = RoiCase(&noise, channels: [3, 33][turn % 2], columns: 6, rotated: true)
            test.shape.sampling_ratio = Int32(turn % 3)
            (test.shape.offset, test.shape.minimum) = turn % 4 < 2 ? (0.5, -.infinity) : (0, 1)
            test.shape.angle_scale = turn % 3 == 0 ? -1 : .pi / 180
            let y = test.run(kernels.table.roi_align_rotated_f32)
            for r in 0..<test.count {
                check(y, test, r, "turn \(turn) region \(r)") { ph, pw, n, c in
                    let row = test.rois[r * 6..<r * 6 + 6].map { $0 }
                    var upright = test.shape
                    upright.offset = 0
                    let ay = axis(upright, 0, row[4], test.shape.pooled_height)
                    let ax = axis(upright, 0, row[3], test.shape.pooled_width)
                    let angle = row[5] * test.shape.angle_scale
                    let (cy, cx) = (
                        row[2] * test.shape.scale - test.shape.offset,
                        row[1] * test.shape.scale - test.shape.offset
                    )
                    var sum = 0.0
                    for i in 0..<ay.grid {
                        for j in 0..<ax.grid {
                            let v =
                                -ay.size / 2 + Float(ph) * ay.bin + (Float(i) + 0.5) * ay.bin / Float(ay.grid)
                            let h =
                                -ax.size / 2 + Float(pw) * ax.bin + (Float(j) + 0.5) * ax.bin / Float(ax.grid)
                            let place = (
                                v * cos(angle) - h * sin(angle) + cy, v * sin(angle) + h * cos(angle) + cx
                            )
                            sum += test.corners(n, c, place.0, place.1)?.reduce(0, +) ?? 0
                        }
                    }
                    return sum / Double(max(ay.grid * ax.grid, 1))
                }
            }
        }
    }

    @Test("maxima over whole pixels", arguments: SimdKernels.available)
    func maxPool(kernels: SimdKernels) {
        var noise = Noise(63)
        for turn in 0..<10 {
            let test = RoiCase(&noise, channels: [2, 16, 80][turn % 3])
            let s = test.shape
            let y = test.run(kernels.table.roi_max_pool_f32)
            for r in 0..<test.count {
                check(y, test, r, "region \(r)") { ph, pw, n, c in
                    let row = test.rois[r * 5..<r * 5 + 5].map { $0 }
                    func range(_ low: Float, _ high: Float, _ p: Int, _ pooled: Int, _ extent: Int) -> Range<
                        Int
                    > {
                        let start = Int((low * s.scale).rounded(.toNearestOrAwayFromZero))
                        let size = max(Int((high * s.scale).rounded(.toNearestOrAwayFromZero)) - start + 1, 1)
                        let bin = Float(size) / Float(pooled)
                        let first = min(max(Int((Float(p) * bin).rounded(.down)) + start, 0), extent)
                        let end = min(max(Int((Float(p + 1) * bin).rounded(.up)) + start, 0), extent)
                        return first..<max(first, end)
                    }
                    let rows = range(row[2], row[4], ph, s.pooled_height, s.height)
                    let columns = range(row[1], row[3], pw, s.pooled_width, s.width)
                    return rows.flatMap { v in columns.map { test.pixel(n, c, v, $0) } }.max() ?? 0
                }
            }
        }
    }

    @Test("deformable pooling moves each bin", arguments: SimdKernels.available)
    func deformPool(kernels: SimdKernels) {
        var noise = Noise(64)
        for turn in 0..<12 {
            var test = RoiCase(&noise, channels: [3, 65][turn % 2])
            test.shape.sampling_ratio = Int32(turn % 3)
            (test.shape.offset, test.shape.trans_scale) = (0.5, 0.1)
            let bins = test.shape.pooled_height * test.shape.pooled_width
            let trans = noise.floats(test.count * 2 * bins, -2, 2)
            let y = test.run(kernels.table.roi_deform_pool_f32, trans: turn % 4 == 3 ? nil : trans)
            for r in 0..<test.count {
                check(y, test, r, "region \(r)") { ph, pw, n, c in
                    let row = test.rois[r * 5..<r * 5 + 5].map { $0 }
                    let ay = axis(test.shape, row[2], row[4], test.shape.pooled_height)
                    let ax = axis(test.shape, row[1], row[3], test.shape.pooled_width)
                    let at = 2 * r * bins + ph * test.shape.pooled_width + pw
                    let still = turn % 4 == 3
                    let mx = still ? 0 : 0.1 * ax.size * trans[at],
                        my = still ? 0 : 0.1 * ay.size * trans[at + bins]
                    var sum = 0.0
                    for i in 0..<ay.grid {
                        for j in 0..<ax.grid {
                            let v =
                                ay.start + my + Float(ph) * ay.bin + (Float(i) + 0.5) * ay.bin
                                / Float(ay.grid)
                            let h =
                                ax.start + mx + Float(pw) * ax.bin + (Float(j) + 0.5) * ax.bin
                                / Float(ax.grid)
                            sum += test.corners(n, c, v, h)?.reduce(0, +) ?? 0
                        }
                    }
                    return sum / Double(max(ay.grid * ax.grid, 1))
                }
            }
        }
    }

    @Test(
        "answers channels last equal those row-major; batches may come apart",
        arguments: SimdKernels.available)
    func layouts(kernels: SimdKernels) {
        var noise = Noise(65)
        var test = RoiCase(&noise, channels: 21)
        test.shape.sampling_ratio = 2
        let y = test.run(kernels.table.roi_align_f32)
        let bins = test.shape.pooled_height * test.shape.pooled_width
        var shape = test.shape
        shape.y_stride = 32
        shape.roi_stride = 4
        let corners = (0..<test.count).map { Array(test.rois[$0 * 5 + 1..<$0 * 5 + 5]) }.reduce([], +)
        let batches = (0..<test.count).map { Int64(test.rois[$0 * 5]) }
        var z = [Float](repeating: 9, count: test.count * bins * 32)
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: dcn_roi_scratch(&shape), alignment: 64)
        defer { scratch.deallocate() }
        corners.withUnsafeBufferPointer { corners in
            batches.withUnsafeBufferPointer { batches in
                var regions = dcn_regions(rois: corners.baseAddress, batches: batches.baseAddress, trans: nil)
                kernels.table.roi_align_f32(&shape, test.last, &regions, &z, scratch, 0, test.count)
            }
        }
        for r in 0..<test.count {
            for b in 0..<bins {
                for c in 0..<32 {
                    let expected = c < 21 ? y[(r * 21 + c) * bins + b] : 0
                    #expect(z[(r * bins + b) * 32 + c].bitPattern == expected.bitPattern)
                }
            }
        }
    }

    private func check(
        _ y: [Float], _ test: RoiCase, _ r: Int, _ what: String, _ value: (Int, Int, Int, Int) -> Double
    ) {
        let s = test.shape
        let row = test.rois[r * s.roi_stride..<(r + 1) * s.roi_stride]
        for c in 0..<s.channels {
            for ph in 0..<s.pooled_height {
                for pw in 0..<s.pooled_width {
                    let got = y[((r * s.channels + c) * s.pooled_height + ph) * s.pooled_width + pw]
                    guard let n = test.batch(r) else {
                        #expect(got == 0)
                        continue
                    }
                    // Values of other regions are only said to be written.
                    guard isOrdinary(row) else {
                        #expect(got != 77)
                        continue
                    }
                    let expected = value(ph, pw, n, c)
                    #expect(
                        agrees(got, expected, relative: 1e-4, absolute: 1e-4),
                        "\(what): \(got) for \(expected)")
                }
            }
        }
    }
}
