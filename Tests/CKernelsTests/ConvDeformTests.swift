import CKernels
import Testing

@Suite("Deformable convolution kernels")
struct ConvDeformTests {
    private static func shape(_ noise: inout Noise) -> dcn_deform_shape {
        var s = dcn_deform_shape()
        func extent(_ low: Int, _ height: Int, _ width: Int) -> dcn_extent {
            dcn_extent(depth: min(low, 1), height: low + noise.index(height), width: low + noise.index(width))
        }
        let widths = [1, 2, 3, 4, 5, 8, 12, 16, 17, 20, 33]
        s.offset_groups = noise.index(2) == 0 ? 1 : 1 + noise.index(4)
        (s.conv.batch, s.conv.groups) = (1 + noise.index(2), 1)
        s.conv.channels = widths[noise.index(widths.count)] * s.offset_groups
        s.conv.outputs = widths[noise.index(widths.count)] * (1 + noise.index(4))
        (s.conv.kernel, s.conv.stride) = (extent(1, 3, 3), extent(1, 2, 3))
        (s.conv.dilation, s.conv.pad) = (extent(1, 2, 3), extent(0, 3, 2))
        (s.conv.input, s.conv.output) = (extent(1, 7, 8), extent(1, 5, 6))
        s.border = noise.index(2) == 0 ? DCN_BORDER_ZERO : DCN_BORDER_CLAMP
        s.offset_scale = 1
        s.row_major = Int32(noise.index(2))
        return s
    }

    private static func check(
        _ kernels: ConvKernels, seed: UInt64, cases: Int, calm: Bool = false,
        _ adjust: (inout dcn_deform_shape, inout Noise) -> Void = { _, _ in }
    ) {
        var noise = Noise(seed)
        for _ in 0..<cases {
            var shape = Self.shape(&noise)
            adjust(&shape, &noise)
            let complaint = DeformCase(shape, calm: calm, &noise).complaint(kernels, &noise)
            #expect(complaint == nil, "\(shape)")
        }
    }

    @Test("products by Strassen's scheme", arguments: ConvKernels.available)
    func strassen(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 71, cases: 24) { shape, noise in
            let levels = 1 + noise.index(2), step = 16 << levels
            shape.levels = Int32(levels)
            shape.offset_groups = 1 + noise.index(2)
            shape.conv.channels = step * shape.offset_groups * (1 + noise.index(2))
            shape.conv.outputs = step * [1, 2, 3, 5][noise.index(4)]
            shape.conv.output = dcn_extent(depth: 1, height: 1 + noise.index(14), width: 1 + noise.index(9))
        }
    }

    @Test("Strassen's scheme is for wide layers, never for results that are to be as exact as the sum")
    func chosenLevels() {
        var shape = dcn_deform_shape()
        let one = dcn_extent(depth: 1, height: 1, width: 1)
        shape.conv.batch = 1
        shape.conv.groups = 1
        (shape.offset_groups, shape.offset_scale) = (1, 1)
        (shape.conv.stride, shape.conv.dilation, shape.conv.kernel) = (one, one, one)
        (shape.conv.kernel.height, shape.conv.kernel.width) = (3, 3)
        let caches = dcn_caches(level1: 48 << 10, level2: 1 << 20, level3: 32 << 20)
        func levels(_ channels: Int, _ outputs: Int, side: Int, _ accuracy: dcn_accuracy) -> Int32 {
            (shape.conv.channels, shape.conv.outputs) = (channels, outputs)
            (shape.conv.input, shape.conv.output) = (
                dcn_extent(depth: 1, height: side, width: side),
                dcn_extent(depth: 1, height: side, width: side)
            )
            return dcn_deform_choose(&shape, caches, accuracy)
        }
        #expect(levels(512, 512, side: 50, DCN_ACCURACY_DEFAULT) == 2)
        #expect(levels(128, 128, side: 100, DCN_ACCURACY_FAST) == 1)
        #expect(levels(512, 512, side: 50, DCN_ACCURACY_EXACT) == 0)
        #expect(levels(64, 64, side: 100, DCN_ACCURACY_DEFAULT) == 0)
        #expect(levels(512, 512, side: 3, DCN_ACCURACY_DEFAULT) == 0, "few pixels do not repay the weights")
        #expect(levels(520, 512, side: 50, DCN_ACCURACY_DEFAULT) == 0, "pieces of whole vectors only")
        #expect(levels(4096, 4096, side: 50, DCN_ACCURACY_DEFAULT) == 0, "scratch is bounded")
    }

    @Test("any offset groups, borders, far and undefined offsets", arguments: ConvKernels.available)
    func plain(_ kernels: ConvKernels) { Self.check(kernels, seed: 1, cases: 40) }

    @Test("offset groups of 4 and 8 channels", arguments: ConvKernels.available)
    func narrowOffsets(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 2, cases: 15) { shape, noise in
            shape.offset_groups = 1 + noise.index(9)
            shape.conv.channels = (4 << noise.index(2)) * shape.offset_groups
        }
    }

    @Test(
        "offset groups of 4 and 8 channels whose corners lie inside the image, but at its border",
        arguments: ConvKernels.available)
    func calmNarrowOffsets(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 6, cases: 10, calm: true) { shape, noise in
            shape.offset_groups = 1 + noise.index(9)
            shape.conv.channels = (4 << noise.index(2)) * shape.offset_groups
            shape.conv.input = dcn_extent(depth: 1, height: 14 + noise.index(3), width: 15 + noise.index(3))
            shape.conv.output = dcn_extent(depth: 1, height: 12, width: 13)
            shape.conv.stride = dcn_extent(depth: 1, height: 1, width: 1)
        }
    }

    @Test(
        "so many products that numbers are split where the machine has tiles",
        arguments: ConvKernels.available)
    func wide(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 5, cases: 3) { shape, noise in
            shape.conv.groups = 1 + noise.index(2)
            shape.offset_groups = 1 + noise.index(2)
            shape.conv.channels = [150, 192][noise.index(2)] * shape.conv.groups
            shape.conv.outputs = [390, 448][noise.index(2)] * shape.conv.groups
            shape.conv.kernel = dcn_extent(depth: 1, height: 2, width: 1 + noise.index(2))
            shape.conv.output = dcn_extent(depth: 1, height: 17, width: 15)
        }
    }

    @Test("groups of any width", arguments: ConvKernels.available)
    func groups(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 3, cases: 20) { shape, noise in
            let groups = (1...shape.conv.channels).filter { shape.conv.channels % $0 == 0 }
            shape.conv.groups = groups[noise.index(groups.count)]
            shape.conv.outputs = (1 + noise.index(9)) * shape.conv.groups
            if noise.index(2) == 0 { shape.conv.outputs = shape.conv.channels }
        }
    }

    @Test("sums without weights, in the order of DCNv3", arguments: ConvKernels.available)
    func aggregate(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 4, cases: 20) { shape, noise in
            (shape.conv.groups, shape.conv.outputs) = (shape.conv.channels, shape.conv.channels)
            (shape.ones, shape.x_first, shape.column_major) = (1, 1, 1)
            shape.offset_scale = noise.index(2) == 0 ? 1 : 1.5
            if shape.conv.kernel.height * shape.conv.kernel.width > 1 {
                shape.skip_centre = Int32(noise.index(2))
            }
        }
    }

    @Test("finished rows go to whole lines of planes", arguments: ConvKernels.available)
    func wholeLines(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 59, cases: 24) { shape, noise in
            let rows = 4 + noise.index(6)
            shape.row_major = 1
            shape.conv.outputs = 16 * (1 + noise.index(2)) + noise.index(2)
            (shape.conv.input.height, shape.conv.input.width) = (rows, 16)
            (shape.conv.output.height, shape.conv.output.width) = (rows, 16)
        }
    }

    @Test("groups of few channels", arguments: ConvKernels.available)
    func narrowGroups(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 67, cases: 24) { shape, noise in
            let outputs = 2 << noise.index(4)
            shape.conv.groups = 2 + noise.index(9)
            shape.conv.channels = (1 + noise.index(outputs)) * shape.conv.groups
            shape.conv.outputs = outputs * shape.conv.groups
            shape.offset_groups = noise.index(2) == 0 ? 1 : shape.conv.groups
            (shape.conv.output.height, shape.conv.output.width) = (4 + noise.index(5), 7)
        }
    }

    @Test("every width of channels that have outputs of their own", arguments: ConvKernels.available)
    func depthwise(_ kernels: ConvKernels) {
        Self.check(kernels, seed: 61, cases: 24) { shape, noise in
            let widths = [1, 7, 16, 17, 31, 32, 33, 48, 128, 129, 160, 163, 300]
            shape.offset_groups = 1 + noise.index(2)
            shape.conv.channels = widths[noise.index(widths.count)] * shape.offset_groups
            (shape.conv.outputs, shape.conv.groups) = (shape.conv.channels, shape.conv.channels)
        }
    }

    @Test("scratch stays under 4 MiB for layers of any width", arguments: ConvKernels.available)
    func scratch(_ kernels: ConvKernels) {
        for (channels, parts, groups, kernel) in [
            (2048, 1, 1, 3), (64, 1, 64, 7), (512, 1, 512, 3), (64, 1, 16, 3), (4096, 1, 1, 7),
            (1024, 2, 1, 3), (4096, 4, 1, 3), (8192, 2, 4, 3), (8192, 4096, 1, 3), (65536, 16384, 2, 3),
        ] {
            var shape = dcn_deform_shape(), plan = dcn_deform_plan()
            (shape.conv.batch, shape.conv.groups) = (1, parts)
            (shape.offset_groups, shape.offset_scale) = (groups, 1)
            (shape.conv.channels, shape.conv.outputs) = (channels, channels)
            shape.row_major = 1
            (shape.conv.input, shape.conv.output) = (
                dcn_extent(depth: 1, height: 64, width: 64), dcn_extent(depth: 1, height: 64, width: 64)
            )
            shape.conv.kernel = dcn_extent(depth: 1, height: kernel, width: kernel)
            (shape.conv.stride, shape.conv.dilation) = (
                dcn_extent(depth: 1, height: 1, width: 1), dcn_extent(depth: 1, height: 1, width: 1)
            )
            #expect(dcn_deform_make_plan(&shape, dcn_read_caches(), kernels.isa, 0, &plan) == 1)
            #expect(
                plan.scratch_bytes < 4 << 20, "\(channels) channels, \(groups) groups: \(plan.scratch_bytes)")
        }
    }
}
