import CKernels
import Testing

@Suite("Convolution kernels")
struct ConvTests {
    private static let channels = [1, 3, 5, 16, 17, 33, 64, 65]

    /// Any convolution of a few pixels.
    private static func shape(_ noise: inout Noise) -> dcn_conv_shape {
        let solid = noise.index(5) == 0
        func extent(_ low: Int, _ height: Int, _ width: Int, _ depth: Int) -> dcn_extent {
            dcn_extent(
                depth: solid ? low + noise.index(depth) : max(0, min(low, 1)),
                height: low + noise.index(height), width: low + noise.index(width))
        }
        var s = dcn_conv_shape()
        s.batch = 1 + noise.index(2)
        s.groups = noise.index(3) == 0 ? 1 + noise.index(3) : 1
        s.channels = channels[noise.index(s.groups == 1 ? 8 : 4)] * s.groups
        s.outputs = channels[noise.index(s.groups == 1 ? 8 : 5)] * s.groups
        s.kernel = extent(1, 4, 4, 2)
        s.stride = extent(1, 3, 3, 2)
        s.dilation = extent(1, 3, 3, 2)
        s.pad = extent(0, 4, 4, 2)
        if noise.index(6) == 0 { s.pad.width = -1 }
        s.input = extent(1, 8, 9, 3)
        s.output = extent(1, 7, 8, 3)
        return s
    }

    /// Float32 sums of n products of magnitudes up to 1 stay within this of the exact ones, the epilogue included.
    private static func bound(_ products: Int, times factor: Double = 1) -> Double {
        factor * 1e-6 * (4 + 2 * Double(products).squareRoot())
    }

    static func check(
        _ form: dcn_conv_form, _ kernels: ConvKernels, cases: Int, factor: Double = 1,
        _ adjust: (inout dcn_conv_shape, inout Noise) -> Void = { _, _ in }
    ) {
        var noise = Noise(UInt64(form.rawValue) + 11)
        for _ in 0..<cases {
            var shape = Self.shape(&noise)
            adjust(&shape, &noise)
            #expect(dcn_conv_fits(form, &shape) == 1, "\(shape)")
            let example = ConvCase(shape, &noise)
            let complaint = example.complaint(
                form, kernels, &noise, bound: bound(example.products, times: factor))
            #expect(complaint == nil, "\(example)")
        }
    }

    @Test("through row pointers", arguments: ConvKernels.available)
    func direct(_ kernels: ConvKernels) { Self.check(DCN_CONV_DIRECT, kernels, cases: 40) }

    @Test(
        "so many products that numbers are split where the machine has tiles",
        arguments: ConvKernels.available)
    func wide(_ kernels: ConvKernels) {
        Self.check(DCN_CONV_DIRECT, kernels, cases: 3) { shape, noise in
            shape.groups = 1 + noise.index(2)
            shape.channels = [150, 192][noise.index(2)] * shape.groups
            shape.outputs = [390, 448][noise.index(2)] * shape.groups
            shape.kernel = dcn_extent(depth: 1, height: 2, width: 1 + noise.index(2))
            shape.output = dcn_extent(depth: 1, height: 17, width: 15)
        }
    }

    @Test("transposed, phase by phase", arguments: ConvKernels.available)
    func transposed(_ kernels: ConvKernels) {
        Self.check(DCN_CONV_DIRECT, kernels, cases: 40) { shape, _ in shape.transposed = 1 }
    }

    @Test("narrow groups and depthwise", arguments: ConvKernels.available)
    func narrow(_ kernels: ConvKernels) {
        Self.check(DCN_CONV_NARROW, kernels, cases: 40) { shape, noise in
            let outputs = 1 << noise.index(5),
                channels = noise.index(2) == 0 ? outputs : 1 + noise.index(outputs)
            shape.groups = 2 + noise.index(70 / outputs)
            (shape.channels, shape.outputs) = (channels * shape.groups, outputs * shape.groups)
        }
    }

    @Test("groups of 8 outputs, of which a vector holds one for two rows", arguments: ConvKernels.available)
    func pairs(_ kernels: ConvKernels) {
        Self.check(DCN_CONV_NARROW, kernels, cases: 30) { shape, noise in
            shape.groups = 2 + noise.index(9)
            (shape.channels, shape.outputs) = ((1 + noise.index(8)) * shape.groups, 8 * shape.groups)
            shape.output = dcn_extent(depth: 1, height: 3 + noise.index(6), width: 5 + noise.index(12))
        }
    }

    @Test("depthwise, with kernels of their own", arguments: ConvKernels.available)
    func depthwise(_ kernels: ConvKernels) {
        for form in [DCN_CONV_NARROW, DCN_CONV_DEPTHWISE_PLANES] {
            Self.check(form, kernels, cases: 60) { shape, noise in
                shape.groups = 2 + noise.index(140)
                (shape.channels, shape.outputs) = (shape.groups, shape.groups)
                shape.kernel.width = 3 + 2 * noise.index(3)
                if noise.index(4) > 0 { shape.dilation = dcn_extent(depth: 1, height: 1, width: 1) }
                if noise.index(4) == 0 { shape.kernel.height = 1 + noise.index(7) }
                if noise.index(3) == 0 { shape.output.width += noise.index(80) }
                if noise.index(3) == 0 { shape.input.width += noise.index(90) }
                guard form == DCN_CONV_DEPTHWISE_PLANES else { return }
                if noise.index(3) == 0 {
                    shape.kernel = dcn_extent(depth: 1, height: 3, width: 3)
                    (shape.stride.height, shape.dilation.height) = (1, 1)
                    shape.output.height += noise.index(12)
                }
                shape.stride.width = 1 << noise.index(4)
                (shape.kernel.depth, shape.input.depth, shape.output.depth, shape.pad.depth) = (1, 1, 1, 0)
            }
        }
    }

    @Test("few input channels, channels last and row major", arguments: ConvKernels.available)
    func patches(_ kernels: ConvKernels) {
        for form in [DCN_CONV_ROWS, DCN_CONV_PLANES, DCN_CONV_PLANES_OUT] {
            Self.check(form, kernels, cases: 25) { shape, noise in
                if noise.index(3) == 0 { shape.output.width += 16 * noise.index(8) }
                if noise.index(3) == 0 { shape.input.width += 70 }
                if noise.index(3) == 0 { shape.stride.width = 1 << noise.index(4) }
                (shape.channels, shape.outputs) = (1 + noise.index(16), shape.outputs / shape.groups)
                shape.groups = 1
                if noise.index(4) == 0 { shape.kernel.width = 17 + noise.index(4) }
                if form != DCN_CONV_ROWS { shape.dilation.width = 1 }
            }
        }
    }

    @Test("the answer is the same bits however tiles are cut", arguments: ConvKernels.available)
    func sameBits(_ kernels: ConvKernels) {
        var noise = Noise(5)
        for form in [
            DCN_CONV_DIRECT, DCN_CONV_WINOGRAD_3, DCN_CONV_WINOGRAD_4, DCN_CONV_WINOGRAD_4_STRIDED,
            DCN_CONV_NARROW, DCN_CONV_DEPTHWISE_PLANES,
        ] {
            var shape = dcn_conv_shape()
            (shape.batch, shape.groups, shape.channels, shape.outputs) = (1, 1, 70, 130)
            if form == DCN_CONV_NARROW || form == DCN_CONV_DEPTHWISE_PLANES {
                (shape.groups, shape.channels, shape.outputs) = (70, 70, 70)
            }
            (shape.input, shape.output) = (
                dcn_extent(depth: 1, height: 13, width: 11), dcn_extent(depth: 1, height: 13, width: 11)
            )
            shape.kernel = dcn_extent(depth: 1, height: 3, width: 3)
            (shape.stride, shape.dilation) = (
                dcn_extent(depth: 1, height: 1, width: 1), dcn_extent(depth: 1, height: 1, width: 1)
            )
            shape.pad = dcn_extent(depth: 0, height: 1, width: 1)
            if form == DCN_CONV_WINOGRAD_4_STRIDED {
                shape.stride = dcn_extent(depth: 1, height: 2, width: 2)
                shape.output = dcn_extent(depth: 1, height: 7, width: 6)
            }
            let x = ConvBuffer(noise.floats(13 * 11 * 80)), weights = noise.floats(70 * 130 * 9)
            let packed = ConvBuffer(count: dcn_conv_packed_count(form, &shape))
            #expect(dcn_conv_pack(form, &shape, weights, packed.pointer) == packed.count)
            var answers: Set<[Float]> = []
            for caches in ConvKernels.caches {
                for wanted in [0, 3, 50] {
                    var plan = dcn_conv_plan()
                    #expect(dcn_conv_make_plan(form, &shape, caches, kernels.isa, wanted, &plan) == 1)
                    let scratch = ConvBuffer(count: plan.scratch_bytes / 4)
                    let stride = dcn_padded(shape.outputs), y = ConvBuffer(count: 13 * 11 * stride, of: 0)
                    var arguments = dcn_conv_arguments()
                    (arguments.x, arguments.x_stride) = (UnsafePointer(x.pointer), 80)
                    arguments.packed = UnsafePointer(packed.pointer)
                    arguments.y = dcn_output(data: y.pointer, stride: stride, clear: stride, streaming: 0)
                    for tile in 0..<plan.tile_count {
                        kernels.table.conv(&plan, &arguments, tile, scratch.pointer)
                    }
                    answers.insert(y.values)
                }
            }
            #expect(answers.count == 1)
        }
    }

    @Test("absurd extents are refused, not computed with")
    func refusals() {
        var noise = Noise(3)
        let good = Self.shape(&noise)
        func refused(_ change: (inout dcn_conv_shape) -> Void) -> Bool {
            var shape = good, plan = dcn_conv_plan()
            change(&shape)
            return dcn_conv_packed_count(DCN_CONV_DIRECT, &shape) == -1
                && dcn_conv_make_plan(DCN_CONV_DIRECT, &shape, dcn_read_caches(), DCN_ISA_BASELINE, 0, &plan)
                    == 0
        }
        #expect(!refused { _ in })
        #expect(refused { $0.batch = 0 })
        #expect(refused { $0.groups = 0 })
        #expect(refused { $0.groups = $0.channels + 1 })
        #expect(refused { $0.stride.width = 0 })
        #expect(refused { $0.kernel.height = -1 })
        #expect(refused { $0.output.width = .max })
        #expect(refused { $0.pad.height = .min })
        #expect(refused { ($0.channels, $0.outputs, $0.groups) = (1 << 31, 1 << 31, 1) })
        #expect(refused { ($0.input.height, $0.input.width, $0.batch) = (1 << 30, 1 << 30, 1 << 10) })
    }

    @Test("the form chosen fits, and keeps to the accuracy")
    func choice() {
        var noise = Noise(8)
        for _ in 0..<200 {
            var shape = Self.shape(&noise)
            if noise.index(2) == 0 { shape.kernel = dcn_extent(depth: 1, height: 3, width: 3) }
            for accuracy in [DCN_ACCURACY_EXACT, DCN_ACCURACY_DEFAULT, DCN_ACCURACY_FAST] {
                let form = dcn_conv_choose(&shape, dcn_read_caches(), accuracy)
                #expect(dcn_conv_fits(form, &shape) == 1)
                #expect(!form.readsPlanes)
                if accuracy != DCN_ACCURACY_FAST { #expect(form != DCN_CONV_WINOGRAD_6) }
                if accuracy == DCN_ACCURACY_EXACT {
                    #expect(
                        ![DCN_CONV_WINOGRAD_3, DCN_CONV_WINOGRAD_4, DCN_CONV_WINOGRAD_4_STRIDED]
                            .contains(form))
                }
            }
        }
    }
}
