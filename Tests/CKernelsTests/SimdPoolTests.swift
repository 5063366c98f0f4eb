import CKernels
import Foundation
import Testing

/// Pooling of one case, written from the definition.
private struct PoolReference {
    var channels = 1
    var extent = [1, 1, 1], kernel = [1, 1, 1], stride = [1, 1, 1], dilation = [1, 1, 1]
    var before = [0, 0, 0], after = [0, 0, 0], output = [1, 1, 1]
    var includePad = false, columnMajor = false, order = 2

    var shape: dcn_pool {
        func three(_ a: [Int]) -> (Int, Int, Int) { (a[0], a[1], a[2]) }
        let stride = (channels + 15) / 16 * 16
        return dcn_pool(
            channels: channels, x_stride: stride, y_stride: stride, extent: three(extent),
            output: three(output),
            kernel: three(kernel), stride: three(self.stride), dilation: three(dilation),
            pad_begin: three(before),
            pad_end: three(after), count_include_pad: includePad ? 1 : 0, order: Int32(order),
            column_major: columnMajor ? 1 : 0, index_base: 100)
    }

    /// Value and index for channel c of row-major x at an output place.
    func value(_ kind: dcn_pool_kind, _ x: [Float], _ c: Int, _ place: [Int]) -> (Double, Int64) {
        var values: [(Double, Int)] = [], cells = 0
        let plane = extent.reduce(1, *)
        for z in 0..<kernel[0] {
            for y in 0..<kernel[1] {
                for w in 0..<kernel[2] {
                    let at = [z, y, w].indices.map {
                        place[$0] * stride[$0] - before[$0] + [z, y, w][$0] * dilation[$0]
                    }
                    if at.indices.allSatisfy({ at[$0] < extent[$0] + after[$0] }) { cells += 1 }
                    guard at.indices.allSatisfy({ at[$0] >= 0 && at[$0] < extent[$0] }) else { continue }
                    let flat = (at[0] * extent[1] + at[1]) * extent[2] + at[2]
                    let turned = (at[2] * extent[1] + at[1]) * extent[0] + at[0]
                    values.append((Double(x[c * plane + flat]), columnMajor ? turned : flat))
                }
            }
        }
        let base = Int64(c * plane + 100)
        switch kind {
        case DCN_POOL_MAX:
            guard var best = values.first else { return (-.infinity, base) }
            for candidate in values.dropFirst() where candidate.0 > best.0 { best = candidate }
            return (best.0, base + Int64(best.1))
        case DCN_POOL_AVERAGE:
            let count = includePad ? cells : values.count
            return (count == 0 ? 0 : values.reduce(0) { $0 + $1.0 } / Double(count), 0)
        default:
            return (pow(values.reduce(0) { $0 + pow(abs($1.0), Double(order)) }, 1 / Double(order)), 0)
        }
    }
}

@Suite("Pooling")
struct PoolTests {
    private static var cases: [PoolReference] {
        var noise = Noise(41)
        var all: [PoolReference] = []
        for _ in 0..<60 {
            var c = PoolReference()
            c.channels = [1, 3, 16, 21, 70][noise.index(5)]
            for axis in (noise.index(3) == 0 ? 0 : 1)..<3 {
                c.extent[axis] = 1 + noise.index(axis == 2 ? 40 : 7)
                c.kernel[axis] = 1 + noise.index(4)
                c.stride[axis] = 1 + noise.index(3)
                c.dilation[axis] = 1 + noise.index(3)
                c.before[axis] = noise.index(3)
                c.after[axis] = noise.index(3)
                let reach = (c.kernel[axis] - 1) * c.dilation[axis] + 1
                let room = c.extent[axis] + c.before[axis] + c.after[axis] - reach
                c.output[axis] = room < 0 ? 1 : room / c.stride[axis] + 1 + noise.index(2)
            }
            c.includePad = noise.index(2) == 0
            c.columnMajor = noise.index(2) == 0
            c.order = 1 + noise.index(4)
            all.append(c)
        }
        return all
    }

    @Test(
        "agrees with its definition in both layouts", arguments: SimdKernels.available,
        [DCN_POOL_MAX, DCN_POOL_AVERAGE, DCN_POOL_LP])
    func layouts(kernels: SimdKernels, kind: dcn_pool_kind) {
        var noise = Noise(42)
        for reference in Self.cases {
            var shape = reference.shape
            let plane = reference.extent.reduce(1, *), pixels = reference.output.reduce(1, *)
            let x = noise.floats(reference.channels * plane, -2, 2), step = shape.x_stride
            var last = [Float](repeating: 0, count: plane * step)
            for c in 0..<reference.channels { for p in 0..<plane { last[p * step + c] = x[c * plane + p] } }
            var y = [Float](repeating: 9, count: reference.channels * pixels)
            var z = [Float](repeating: 9, count: pixels * step)
            var first = [Int64](repeating: -1, count: y.count), second = first
            let rows = reference.output[0] * reference.output[1], middle = rows / 2
            let indices = kind == DCN_POOL_MAX
            for (begin, end) in [(middle, rows), (0, middle)] {
                if indices {
                    kernels.table.pool_rows_f32(kind, &shape, x, &y, &first, begin, end)
                    kernels.table.pool_last_f32(kind, &shape, last, &z, &second, begin, end)
                } else {
                    kernels.table.pool_rows_f32(kind, &shape, x, &y, nil, begin, end)
                    kernels.table.pool_last_f32(kind, &shape, last, &z, nil, begin, end)
                }
            }
            for p in 0..<pixels {
                let place = [
                    p / reference.output[2] / reference.output[1],
                    p / reference.output[2] % reference.output[1],
                    p % reference.output[2],
                ]
                for c in 0..<reference.channels {
                    let (value, index) = reference.value(kind, x, c, place)
                    #expect(agrees(y[c * pixels + p], value, relative: 2e-6, absolute: 1e-6))
                    #expect(agrees(z[p * step + c], value, relative: 2e-6, absolute: 1e-6))
                    if indices { #expect(first[c * pixels + p] == index && second[c * pixels + p] == index) }
                }
                for c in reference.channels..<step { #expect(z[p * step + c] == 0) }
            }
            if indices {
                var plain = y
                kernels.table.pool_rows_f32(kind, &shape, x, &plain, nil, 0, rows)
                #expect(plain == y)
            }
        }
    }
}
