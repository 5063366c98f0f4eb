import CKernels
import Foundation
import Testing

/// One axis of a bin: the pixels its samples read, with weights, and how many samples count.
private typealias Taps = (weights: [(pixel: Int, weight: Double)], count: Int)

/// Position sensitive pooling, written from the definitions.
private struct PositionCase {
    var shape = dcn_roi()
    var x: [Float]
    var rois: [Float] = []
    var trans: [Float] = []
    let count = 21

    init(_ noise: inout Noise, outputs: Int, group: Int, pooled: Int, classes: Int, part: Int) {
        shape.batch = 2
        (shape.output_channels, shape.group) = (outputs, group)
        shape.channels = outputs * group * group
        (shape.height, shape.width) = (3 + noise.index(10), 3 + noise.index(12))
        (shape.pooled_height, shape.pooled_width) = (pooled, pooled)
        (shape.roi_stride, shape.scale) = (5, 0.25)
        (shape.classes, shape.part, shape.trans_scale) = (classes, part, 0.1)
        (shape.samples_y, shape.samples_x) = (3, 2)
        shape.minimum = 0.1
        x = noise.floats(2 * shape.channels * shape.height * shape.width)
        for r in 0..<count {
            let a = noise.float(-9, 40), b = noise.float(-9, 40), c = noise.float(-9, 50),
                d = noise.float(-9, 50)
            rois += [Float(noise.index(2)), a, b, r == 2 ? a : c, r == 3 ? b - 7 : d]
        }
        rois[4 * 5 + 1] = .nan
        rois[5 * 5] = 7
        rois[6 * 5 + 3] = .infinity
        trans = noise.floats(count * 2 * classes * part * part, -3, 3)
    }

    func region(_ low: Float, _ high: Float) -> (start: Float, size: Float) {
        switch shape.region {
        case DCN_REGION_ROUND_BEFORE:
            let start = low.rounded(.toNearestOrAwayFromZero) * shape.scale - shape.offset
            let end = (high.rounded(.toNearestOrAwayFromZero) + 1) * shape.scale - shape.offset
            return (start, max(end - start, shape.minimum))
        case DCN_REGION_ROUND_AFTER:
            let start = (low * shape.scale).rounded(.toNearestOrAwayFromZero)
            return (start, max((high * shape.scale).rounded(.toNearestOrAwayFromZero) - start, shape.minimum))
        default:
            let start = low * shape.scale - shape.offset
            return (start, max(high * shape.scale - shape.offset - start, shape.minimum))
        }
    }

    /// The pixels from floor to ceiling.
    func pixels(_ low: Float, _ high: Float, _ p: Int, _ extent: Int) -> Taps {
        let (start, size) = region(low, high), bin = size / Float(shape.pooled_height)
        let after = shape.region == DCN_REGION_ROUND_AFTER, limit = after ? extent - 1 : extent
        let from = after ? (Float(p) * bin).rounded(.down) + start : (Float(p) * bin + start).rounded(.down)
        let to = after ? (Float(p + 1) * bin).rounded(.up) + start : (Float(p + 1) * bin + start).rounded(.up)
        let first = min(max(Int(from), 0), limit), end = min(max(Int(to), 0), limit)
        return first < end ? ((first..<end).map { ($0, 1) }, end - first) : ([], 0)
    }

    func align(_ low: Float, _ high: Float, _ p: Int, _ extent: Int) -> Taps {
        let (start, size) = region(low, high), bin = size / Float(shape.pooled_height)
        let grid = shape.sampling_ratio > 0 ? Int(shape.sampling_ratio) : max(Int(bin.rounded(.up)), 0)
        var taps: [(pixel: Int, weight: Double)] = []
        for i in 0..<grid {
            let v = start + Float(p) * bin + (Float(i) + 0.5) * bin / Float(grid)
            guard v >= -1, v <= Float(extent) else { continue }
            let inside = max(v, 0), k = Int(inside)
            if k >= extent - 1 {
                taps.append((extent - 1, 1))
            } else {
                taps += [(k, 1 - Double(inside - Float(k))), (k + 1, Double(inside - Float(k)))]
            }
        }
        return (taps, grid)
    }

    func deform(_ low: Float, _ high: Float, _ p: Int, _ extent: Int, samples: Int, moved: Float) -> Taps {
        let (start, size) = region(low, high), bin = size / Float(shape.pooled_height)
        var taps: [(pixel: Int, weight: Double)] = [], counted = 0
        for i in 0..<samples {
            let v = Float(p) * bin + start + moved * size + Float(i) * (bin / Float(samples))
            guard v >= -0.5, v <= Float(extent) - 0.5 else { continue }
            counted += 1
            let inside = min(max(v, 0), Float(extent - 1)), k = Int(inside)
            taps += [(k, 1 - Double(inside - Float(k))), (min(k + 1, extent - 1), Double(inside - Float(k)))]
        }
        return (taps, counted)
    }

    func expected(_ r: Int, _ o: Int, _ ph: Int, _ pw: Int, _ taps: (Int, Int, Int) -> (Taps, Taps)) -> Double
    {
        let n = Int(rois[r * 5])
        let gh = min(ph * shape.group / shape.pooled_height, shape.group - 1)
        let gw = min(pw * shape.group / shape.pooled_width, shape.group - 1)
        let plane =
            (n * shape.channels + (o * shape.group + gh) * shape.group + gw) * shape.height * shape.width
        let (rows, columns) = taps(o, ph, pw)
        var sum = 0.0
        for row in rows.weights {
            for column in columns.weights {
                sum += row.weight * column.weight * Double(x[plane + row.pixel * shape.width + column.pixel])
            }
        }
        let count = rows.count * columns.count
        return count > 0 ? sum / Double(count) : shape.empty_is_nan != 0 ? .nan : 0
    }

    typealias Kernel = (
        UnsafePointer<dcn_roi>?, UnsafePointer<Float>?, UnsafePointer<dcn_regions>?, Int,
        UnsafeMutablePointer<Float>?,
        UnsafeMutableRawPointer?, Int, Int
    ) -> Void

    func check(
        _ kernel: Kernel, moves: Bool = false,
        _ taps: (_ r: Int, _ o: Int, _ ph: Int, _ pw: Int) -> (Taps, Taps)
    ) {
        let bins = shape.pooled_height * shape.pooled_width
        var y = [Float](repeating: 77, count: count * shape.output_channels * bins)
        var shape = shape
        let scratch = UnsafeMutableRawPointer.allocate(byteCount: dcn_ps_roi_scratch(&shape), alignment: 64)
        defer { scratch.deallocate() }
        let units = dcn_ps_roi_units(&shape)
        rois.withUnsafeBufferPointer { rois in
            trans.withUnsafeBufferPointer { trans in
                var regions = dcn_regions(
                    rois: rois.baseAddress, batches: nil, trans: moves ? trans.baseAddress : nil)
                kernel(&shape, x, &regions, count, &y, scratch, units / 2, units)
                kernel(&shape, x, &regions, count, &y, scratch, 0, units / 2)
            }
        }
        for r in 0..<count {
            for o in 0..<shape.output_channels {
                for b in 0..<bins {
                    let got = y[(r * shape.output_channels + o) * bins + b]
                    if r == 5 {
                        #expect(got == 0)
                    } else if r == 4 || r == 6 {
                        #expect(got != 77)
                    } else {
                        let value = expected(r, o, b / shape.pooled_width, b % shape.pooled_width) {
                            o, ph, pw in
                            taps(r, o, ph, pw)
                        }
                        #expect(
                            agrees(got, value, relative: 1e-5, absolute: 2e-5),
                            "\(r) \(o) \(b): \(got) \(value)")
                    }
                }
            }
        }
    }
}

private let cases: [(outputs: Int, group: Int, pooled: Int, classes: Int, part: Int)] = [
    (outputs: 1, group: 1, pooled: 1, classes: 1, part: 1), (3, 2, 2, 3, 2), (17, 3, 3, 1, 3),
    (20, 2, 4, 5, 3),
    (33, 1, 3, 33, 2), (5, 3, 2, 1, 2),
]

@Suite("Position sensitive pooling")
struct PositionTests {
    @Test("averages whole pixels, rounded either way", arguments: SimdKernels.available, [false, true])
    func pixels(kernels: SimdKernels, after: Bool) {
        var noise = Noise(71)
        for c in cases {
            var test = PositionCase(
                &noise, outputs: c.outputs, group: c.group, pooled: c.pooled, classes: c.classes, part: c.part
            )
            test.shape.region = after ? DCN_REGION_ROUND_AFTER : DCN_REGION_ROUND_BEFORE
            test.shape.minimum = after ? 1 : 0.1
            let (s, rois) = (test.shape, test.rois)
            test.check(kernels.table.ps_roi_pool_f32) { r, _, ph, pw in
                (
                    test.pixels(rois[r * 5 + 2], rois[r * 5 + 4], ph, s.height),
                    test.pixels(rois[r * 5 + 1], rois[r * 5 + 3], pw, s.width)
                )
            }
        }
    }

    @Test("averages bilinear samples; an empty grid is what was asked for", arguments: SimdKernels.available)
    func align(kernels: SimdKernels) {
        var noise = Noise(72)
        for (turn, c) in cases.enumerated() {
            var test = PositionCase(
                &noise, outputs: c.outputs, group: c.group, pooled: c.pooled, classes: c.classes, part: c.part
            )
            (test.shape.offset, test.shape.minimum) = (0.5, -.infinity)
            test.shape.empty_is_nan = Int32(turn % 2)
            test.shape.sampling_ratio = Int32(turn % 3)
            let (s, rois) = (test.shape, test.rois)
            test.check(kernels.table.ps_roi_align_f32) { r, _, ph, pw in
                (
                    test.align(rois[r * 5 + 2], rois[r * 5 + 4], ph, s.height),
                    test.align(rois[r * 5 + 1], rois[r * 5 + 3], pw, s.width)
                )
            }
        }
    }

    @Test("deformable: moved by class and part", arguments: SimdKernels.available, [false, true])
    func deform(kernels: SimdKernels, moves: Bool) {
        var noise = Noise(73)
        for c in cases {
            var test = PositionCase(
                &noise, outputs: c.outputs, group: c.group, pooled: c.pooled, classes: c.classes, part: c.part
            )
            (test.shape.region, test.shape.offset) = (DCN_REGION_ROUND_BEFORE, 0.5)
            let (s, rois) = (test.shape, test.rois)
            test.check(kernels.table.ps_roi_deform_pool_f32, moves: moves) { r, o, ph, pw in
                let kind = o / (s.output_channels / s.classes), cells = s.part * s.part
                let at =
                    (r * s.classes + kind) * 2 * cells + ph * s.part / s.pooled_height * s.part
                    + pw * s.part / s.pooled_width
                let tx = moves ? test.trans[at] * s.trans_scale : 0
                let ty = moves ? test.trans[at + cells] * s.trans_scale : 0
                return (
                    test.deform(rois[r * 5 + 2], rois[r * 5 + 4], ph, s.height, samples: 3, moved: ty),
                    test.deform(rois[r * 5 + 1], rois[r * 5 + 3], pw, s.width, samples: 2, moved: tx)
                )
            }
        }
    }
}
