import CKernels
import Foundation
import Testing

/// Products whose numbers are split in three, where the machine has tiles for them.
@Suite("Products of thirds")
struct ThirdsTests {
    private static let tiles = ConvKernels.available.filter { $0.isa == DCN_ISA_AMX }

    /// y = a · b, b being all of `columns` columns; a plan that does not split fails.
    private static func product(
        _ a: [Float], _ b: [Float], rows: Int, inner: Int, columns: Int, _ kernels: ConvKernels,
        activation: dcn_activation = DCN_ACTIVATION_NONE
    ) -> [Float] {
        var shape = dcn_conv_shape(), plan = dcn_conv_plan()
        let one = dcn_extent(depth: 1, height: 1, width: 1)
        (shape.batch, shape.channels, shape.outputs, shape.groups) = (1, inner, columns, 1)
        (shape.kernel, shape.stride, shape.dilation) = (one, one, one)
        shape.input = dcn_extent(depth: 1, height: 1, width: rows)
        shape.output = shape.input
        let weights = (0..<columns * inner).map { b[$0 % inner * columns + $0 / inner] }
        let packed = ConvBuffer(count: dcn_conv_packed_count(DCN_CONV_DIRECT, &shape)), left = ConvBuffer(a)
        #expect(dcn_conv_pack(DCN_CONV_DIRECT, &shape, weights, packed.pointer) == packed.count)
        #expect(
            dcn_conv_make_plan(DCN_CONV_DIRECT, &shape, dcn_read_caches(), kernels.isa, 16, &plan) == 1)
        #expect(plan.thirds_bytes > 0)
        let scratch = ConvBuffer(count: plan.scratch_bytes / 4), y = ConvBuffer(count: rows * columns)
        var arguments = dcn_conv_arguments(
            x: left.pointer, x_stride: inner, packed: packed.pointer,
            y: dcn_output(data: y.pointer, stride: columns, clear: 0, streaming: 0),
            epilogue: dcn_epilogue(
                bias: nil, residual: nil, residual_stride: 0, activation: activation, alpha: 0, beta: 0,
                residual_last: 0))
        for tile in 0..<plan.tile_count { kernels.table.conv(&plan, &arguments, tile, scratch.pointer) }
        #expect(scratch.isGuarded && y.isGuarded)
        return y.values
    }

    /// The root of the mean of the squares of the errors, over that of the answers.
    private static func error(
        _ y: [Float], _ a: [Float], _ b: [Float], _ rows: Int, _ inner: Int, _ columns: Int
    ) -> Double {
        var errors = 0.0, squares = 0.0
        for m in 0..<rows {
            for n in 0..<columns {
                let sum = (0..<inner).reduce(0.0) { sum, k in
                    sum + Double(a[m * inner + k]) * Double(b[k * columns + n])
                }
                errors += (Double(y[m * columns + n]) - sum) * (Double(y[m * columns + n]) - sum)
                squares += sum * sum
            }
        }
        return (errors / squares).squareRoot()
    }

    @Test("are as exact as one chain of float32 sums, whatever the signs", arguments: tiles)
    func exact(_ kernels: ConvKernels) {
        var noise = Noise(5)
        for (rows, inner, columns) in [(256, 300, 512), (288, 513, 640), (300, 1100, 700)] {
            let a = noise.floats(rows * inner), b = noise.floats(inner * columns)
            let positive = a.map(abs), weights = b.map(abs)
            let y = Self.product(a, b, rows: rows, inner: inner, columns: columns, kernels)
            #expect(Self.error(y, a, b, rows, inner, columns) < 2.5e-7)
            let z = Self.product(positive, weights, rows: rows, inner: inner, columns: columns, kernels)
            #expect(Self.error(z, positive, weights, rows, inner, columns) < 2.5e-7)
        }
    }

    @Test("leave rows with infinities or NaN to float32, and the others alone", arguments: tiles)
    func odd(_ kernels: ConvKernels) {
        var noise = Noise(6)
        let (rows, inner, columns) = (280, 510, 512)
        var a = noise.floats(rows * inner), b = noise.floats(inner * columns)
        let clean = Self.product(a, b, rows: rows, inner: inner, columns: columns, kernels)
        (a[3 * inner + 7], a[40 * inner + 509], a[279 * inner]) = (.infinity, .nan, -.infinity)
        b[7 * columns + 5] = 0.5
        b[5] = 0.25
        let y = Self.product(a, b, rows: rows, inner: inner, columns: columns, kernels)
        #expect(y[3 * columns + 5] == .infinity && y[279 * columns + 5] == -.infinity)
        #expect((0..<columns).allSatisfy { y[40 * columns + $0].isNaN })
        let untouched = (0..<rows * columns).filter {
            ![3, 40, 279].contains($0 / columns) && $0 % columns != 5
        }
        #expect(untouched.allSatisfy { y[$0] == clean[$0] })
        b[100 * columns + 9] = .infinity
        let z = Self.product(a, b, rows: rows, inner: inner, columns: columns, kernels)
        #expect(z[9].magnitude == .infinity && z[columns + 200] == clean[columns + 200])
    }

    @Test("hold from the smallest to the largest numbers", arguments: tiles)
    func extremes(_ kernels: ConvKernels) {
        let (rows, inner, columns) = (256, 256, 1024)
        for (x, w) in [
            (Float.greatestFiniteMagnitude / 2, Float(1) / 256), (0x1p-100, 0x1p90),
            (1.999_999_9, 1.999_999_9),
            (Float.leastNonzeroMagnitude, 1), (0, -0.0),
        ] {
            let y = Self.product(
                .init(repeating: x, count: rows * inner), .init(repeating: w, count: inner * columns),
                rows: rows,
                inner: inner, columns: columns, kernels)
            let sum = 256 * Double(x) * Double(w)
            #expect(y.allSatisfy { abs(Double($0) - sum) <= 1e-6 * abs(sum) + 0x1p-118 }, "\(x) · \(w)")
        }
    }

    @Test("end as vectors do", arguments: tiles)
    func ends(_ kernels: ConvKernels) {
        var noise = Noise(7)
        let (rows, inner, columns) = (256, 600, 512)
        let a = noise.floats(rows * inner), b = noise.floats(inner * columns).map { $0 / 16 }
        let plain = Self.product(a, b, rows: rows, inner: inner, columns: columns, kernels)
        let relu = Self.product(
            a, b, rows: rows, inner: inner, columns: columns, kernels, activation: DCN_ACTIVATION_RELU)
        #expect(relu == plain.map { max(0, $0) })
        let bent = Self.product(
            a, b, rows: rows, inner: inner, columns: columns, kernels, activation: DCN_ACTIVATION_TANH)
        #expect(zip(bent, plain).allSatisfy { abs(Double($0) - tanh(Double($1))) < 1e-6 })
    }
}
