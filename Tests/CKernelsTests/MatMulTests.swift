import CKernels
import Testing

@Suite("Matrix product kernels")
struct MatMulTests {
    private static let sizes = [1, 2, 5, 6, 7, 16, 17, 31, 64, 65, 130]

    /// A product of matrices that lie by rows or by columns, with what is added to it.
    private struct Case: CustomStringConvertible {
        var shape: dcn_matmul_shape
        let a: ConvBuffer, b: ConvBuffer, addend: ConvBuffer
        let end: ConvEnd
        var description: String { "\(shape)" }

        init(_ noise: inout Noise) {
            var s = dcn_matmul_shape()
            (s.rows, s.columns) = (sizes[noise.index(11)], sizes[noise.index(11)])
            s.inner = noise.index(8) == 0 ? 0 : sizes[noise.index(11)]
            s.packed = Int32(noise.index(2))
            (s.scale, s.addend_scale) = (noise.index(2) == 0 ? 1 : 0.5, -0.75)
            (s.a_row, s.a_inner) = noise.index(3) == 0 ? (1, s.rows) : (s.inner + noise.index(4), 1)
            (s.b_inner, s.b_column) = noise.index(2) == 0 ? (1, s.inner) : (s.columns + noise.index(4), 1)
            s.has_addend = Int32(noise.index(2))
            (s.addend_row, s.addend_column) = [(0, 1), (1, 0), (s.columns, 1), (0, 0)][noise.index(4)]
            shape = s
            a = ConvBuffer(noise.floats(max(s.rows * s.a_row, s.inner * s.a_inner)))
            b = ConvBuffer(noise.floats(max(s.inner * s.b_inner, s.columns * s.b_column)))
            addend = ConvBuffer(noise.floats(s.rows * s.columns))
            var end = ConvEnd(&noise, pixels: s.rows, channels: s.columns)
            end.residualLast = false
            self.end = end
        }

        /// The sums in double precision.
        var answer: [Double] {
            (0..<shape.rows * shape.columns).map { index in
                let m = index / shape.columns, n = index % shape.columns
                var sum = 0.0
                for k in 0..<shape.inner {
                    sum +=
                        Double(a[m * shape.a_row + k * shape.a_inner])
                        * Double(b[k * shape.b_inner + n * shape.b_column])
                }
                sum *= Double(shape.scale)
                if shape.has_addend != 0 {
                    sum +=
                        Double(shape.addend_scale)
                        * Double(addend[m * shape.addend_row + n * shape.addend_column])
                }
                return end.finished(sum, pixel: m, channel: n)
            }
        }

        /// B as the kernel is to read it.
        var right: ConvBuffer {
            guard shape.packed != 0 else { return b }
            var shape = self.shape
            let packed = ConvBuffer(count: dcn_matmul_packed_count(&shape))
            for tile in 0..<dcn_matmul_pack_tiles(&shape) {
                dcn_matmul_pack(&shape, b.pointer, tile, packed.pointer)
            }
            return packed
        }
    }

    @Test("a · b in any layout, packed or not, with any epilogue", arguments: ConvKernels.available)
    func products(_ kernels: ConvKernels) {
        var noise = Noise(21)
        for _ in 0..<80 {
            var example = Case(&noise), plan = dcn_matmul_plan()
            let right = example.right, columns = example.shape.columns
            #expect(right.isGuarded)
            let caches = ConvKernels.caches[noise.index(2)], wanted = noise.index(2) * noise.index(40)
            #expect(dcn_matmul_make_plan(&example.shape, caches, wanted, &plan) == 1)
            let scratch = ConvBuffer(count: plan.scratch_bytes / 4)
            let stride = columns + noise.index(4), y = ConvBuffer(count: example.shape.rows * stride, of: 777)
            example.end.lend { epilogue in
                var arguments = dcn_matmul_arguments(
                    a: example.a.pointer, b: right.pointer, addend: example.addend.pointer, y: y.pointer,
                    y_stride: stride, epilogue: epilogue)
                for tile in (0..<plan.tile_count).reversed() {
                    kernels.table.matmul(&plan, &arguments, tile, scratch.pointer)
                }
            }
            #expect(scratch.isGuarded && y.isGuarded)
            let bound = 1e-6 * (4 + 2 * Double(example.shape.inner).squareRoot()), answer = example.answer
            let wrong = y.values.indices.first { index in
                let (row, column) = (index / stride, index % stride)
                guard column < columns else { return y[index] != 777 }
                return !(abs(Double(y[index]) - answer[row * columns + column]) <= bound)
            }
            #expect(wrong == nil, "\(example)")
        }
    }

    @Test("blocks follow the caches, bits don't", arguments: ConvKernels.available)
    func sameBits(_ kernels: ConvKernels) {
        var noise = Noise(6)
        var shape = dcn_matmul_shape()
        (shape.rows, shape.inner, shape.columns) = (30, 1900, 70)
        (shape.a_row, shape.a_inner, shape.b_inner, shape.b_column) = (1900, 1, 70, 1)
        (shape.scale, shape.packed) = (1, 1)
        let a = ConvBuffer(noise.floats(30 * 1900)), b = noise.floats(1900 * 70)
        let packed = ConvBuffer(count: dcn_matmul_packed_count(&shape))
        for tile in 0..<dcn_matmul_pack_tiles(&shape) { dcn_matmul_pack(&shape, b, tile, packed.pointer) }
        var blocks: Set<Int> = [], answers: Set<[Float]> = []
        for level2 in [32 << 10, 512 << 10, 4 << 20] {
            var plan = dcn_matmul_plan()
            let caches = dcn_caches(level1: 32 << 10, level2: level2, level3: 8 << 20)
            #expect(dcn_matmul_make_plan(&shape, caches, 16, &plan) == 1)
            let scratch = ConvBuffer(count: plan.scratch_bytes / 4), y = ConvBuffer(count: 30 * 70)
            var arguments = dcn_matmul_arguments()
            (arguments.a, arguments.b) = (UnsafePointer(a.pointer), UnsafePointer(packed.pointer))
            (arguments.y, arguments.y_stride) = (y.pointer, 70)
            for tile in 0..<plan.tile_count { kernels.table.matmul(&plan, &arguments, tile, scratch.pointer) }
            blocks.insert(plan.block_inner)
            answers.insert(y.values)
        }
        #expect(blocks.count == 3 && answers.count == 1)
    }

    @Test("absurd sizes are refused")
    func refusals() {
        for (m, k, n) in [(-1, 1, 1), (1, -1, 1), (1, 1, -1), (1, .max, .max), (.max, 1, 1)] {
            var shape = dcn_matmul_shape(), plan = dcn_matmul_plan()
            (shape.rows, shape.inner, shape.columns) = (m, k, n)
            #expect(dcn_matmul_make_plan(&shape, dcn_read_caches(), 0, &plan) == 0)
            #expect((dcn_matmul_packed_count(&shape) == -1) == (m == 1))
        }
    }
}
