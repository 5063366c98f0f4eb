import CKernels
import Testing

@Suite("Matrix product and layout kernels")
struct ConvGemmTests {
    @Test("a · b with any epilogue", arguments: ConvKernels.available)
    func products(_ kernels: ConvKernels) {
        var noise = Noise(21)
        let sizes = [1, 2, 5, 6, 7, 16, 17, 31, 64, 65, 130]
        for _ in 0..<40 {
            var shape = dcn_gemm_shape(
                rows: sizes[noise.index(11)], inner: noise.index(8) == 0 ? 0 : sizes[noise.index(11)],
                columns: sizes[noise.index(11)])
            let stride = shape.inner + noise.index(4), turned = noise.index(2) == 0
            let a = ConvBuffer(noise.floats(shape.rows * stride)),
                b = noise.floats(shape.inner * shape.columns)
            let end = ConvEnd(&noise, pixels: shape.rows, channels: shape.columns)
            let expected = Self.answer(shape, a.values, stride, b, turned, end)

            let packed = ConvBuffer(count: dcn_gemm_packed_count(&shape))
            let (row, column) = turned ? (1, shape.inner) : (shape.columns, 1)
            for tile in 0..<dcn_gemm_pack_tiles(&shape) {
                dcn_gemm_pack(&shape, b, row, column, 0.5, tile, packed.pointer)
            }
            #expect(packed.isGuarded)
            var plan = dcn_gemm_plan()
            let caches = ConvKernels.caches[noise.index(2)]
            #expect(
                dcn_gemm_make_plan(&shape, caches, kernels.isa, noise.index(2) * noise.index(40), &plan) == 1)
            let scratch = ConvBuffer(count: plan.scratch_bytes / 4)
            let target = ConvTarget(&noise, pixels: shape.rows, channels: shape.columns)
            end.lend { epilogue in
                var arguments = dcn_gemm_arguments(
                    a: a.pointer, a_stride: stride, packed: packed.pointer,
                    y: target.output(streaming: noise.index(2) == 0), epilogue: epilogue)
                for tile in (0..<plan.tile_count).reversed() {
                    kernels.table.gemm(&plan, &arguments, tile, scratch.pointer)
                }
            }
            #expect(scratch.isGuarded)
            let bound = 1e-6 * (4 + 2 * Double(shape.inner).squareRoot())
            #expect(target.complaint(expected, within: bound) == nil, "\(shape)")
        }
    }

    @Test(
        "blocks follow the caches, bits don't",
        arguments: ConvKernels.available.filter { $0.isa != DCN_ISA_AMX })
    func sameBits(_ kernels: ConvKernels) {
        var noise = Noise(6)
        var shape = dcn_gemm_shape(rows: 30, inner: 1900, columns: 70)
        let a = ConvBuffer(noise.floats(30 * 1900)), b = noise.floats(1900 * 70)
        let packed = ConvBuffer(count: dcn_gemm_packed_count(&shape))
        for tile in 0..<dcn_gemm_pack_tiles(&shape) {
            dcn_gemm_pack(&shape, b, 70, 1, 1, tile, packed.pointer)
        }
        var blocks: Set<Int> = [], answers: Set<[Float]> = []
        for level2 in [32 << 10, 512 << 10, 4 << 20] {
            var plan = dcn_gemm_plan()
            let caches = dcn_caches(level1: 32 << 10, level2: level2, level3: 8 << 20)
            #expect(dcn_gemm_make_plan(&shape, caches, kernels.isa, 16, &plan) == 1)
            let scratch = ConvBuffer(count: plan.scratch_bytes / 4), y = ConvBuffer(count: 30 * 80, of: 0)
            var arguments = dcn_gemm_arguments()
            (arguments.a, arguments.a_stride) = (UnsafePointer(a.pointer), 1900)
            arguments.packed = UnsafePointer(packed.pointer)
            arguments.y = dcn_output(data: y.pointer, stride: 80, clear: 80, streaming: 0)
            for tile in 0..<plan.tile_count { kernels.table.gemm(&plan, &arguments, tile, scratch.pointer) }
            blocks.insert(plan.block_inner)
            answers.insert(y.values)
        }
        #expect(blocks.count == 3 && answers.count == 1)
    }

    private static func answer(
        _ s: dcn_gemm_shape, _ a: [Float], _ stride: Int, _ b: [Float], _ turned: Bool, _ end: ConvEnd
    ) -> [Double] {
        (0..<s.rows * s.columns).map { index in
            let m = index / s.columns, n = index % s.columns
            var sum = 0.0
            for k in 0..<s.inner {
                sum +=
                    0.5 * Double(a[m * stride + k]) * Double(b[turned ? n * s.inner + k : k * s.columns + n])
            }
            return end.finished(sum, pixel: m, channel: n)
        }
    }

    @Test("absurd sizes are refused")
    func refusals() {
        for (m, k, n) in [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (1, .max, .max), (.max, 1, 1)] {
            var shape = dcn_gemm_shape(rows: m, inner: k, columns: n), plan = dcn_gemm_plan()
            #expect(dcn_gemm_packed_count(&shape) == -1)
            #expect(dcn_gemm_make_plan(&shape, dcn_read_caches(), DCN_ISA_BASELINE, 0, &plan) == 0)
        }
    }

    @Test("layouts there and back", arguments: ConvKernels.available)
    func relayout(_ kernels: ConvKernels) {
        var noise = Noise(4)
        for trial in 0..<60 {
            let batch = 1 + noise.index(2), channels = 1 + noise.index(40)
            let pixels = trial % 3 == 0 ? 16 * (1 + noise.index(20)) : 1 + noise.index(300)
            let x = ConvBuffer(noise.floats(batch * channels * pixels))
            let target = ConvTarget(&noise, pixels: batch * pixels, channels: channels)
            let y = target.output(streaming: false)
            var job = dcn_relayout(
                x: x.pointer, y: y.data, batch: batch, channels: channels, pixels: pixels, stride: y.stride,
                clear: y.clear, row_major_stride: channels * pixels, streaming: Int32(trial % 2))
            for tile in 0..<dcn_relayout_tiles(&job) { kernels.table.to_channels_last(&job, tile) }
            let expected = (0..<batch * pixels * channels).map { index in
                let channel = index % channels, pixel = index / channels
                return Double(x[(pixel / pixels * channels + channel) * pixels + pixel % pixels])
            }
            #expect(target.complaint(expected, within: 0) == nil)

            let back = ConvBuffer(count: x.count)
            job.x = UnsafePointer(y.data)
            job.y = back.pointer
            for tile in 0..<dcn_relayout_tiles(&job) { kernels.table.to_row_major(&job, tile) }
            #expect(back.values == x.values)
            #expect(back.isGuarded)
        }
    }

    @Test("the peak counts its multiply-adds", arguments: ConvKernels.available)
    func peak(_ kernels: ConvKernels) {
        #expect(kernels.table.peak(1000) == 1000 * kernels.table.peak(1))
    }
}
