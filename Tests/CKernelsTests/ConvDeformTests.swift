import CKernels
import Foundation
import Testing

/// A deformable convolution with its operands, and its answer from the definition.
private struct DeformCase {
    let shape: dcn_deform_shape
    let x: [Float], weights: [Float], end: ConvEnd
    let offsets: [Float], masks: [Float]?  // pixel by pixel
    let sigmoid: Bool
    let xStride: Int
    var expected: [Double] = []

    var taps: Int { shape.conv.kernel.height * shape.conv.kernel.width - (shape.skip_centre != 0 ? 1 : 0) }
    var entries: Int { taps * shape.offset_groups }
    var pixels: Int { shape.conv.output.height * shape.conv.output.width }

    /// `calm`: no offset is undefined, far or whole.
    init(_ shape: dcn_deform_shape, calm: Bool, _ noise: inout Noise) {
        self.shape = shape
        let c = shape.conv, all = c.batch * c.output.height * c.output.width
        let taps = c.kernel.height * c.kernel.width - (shape.skip_centre != 0 ? 1 : 0)
        let entries = taps * shape.offset_groups
        xStride = dcn_padded(c.channels + noise.index(4))
        x = noise.floats(c.batch * c.input.height * c.input.width * xStride)
        weights = noise.floats(c.outputs * (c.channels / c.groups) * taps)
        offsets = (0..<all * entries * 2).map { _ in
            if calm { return noise.float(-2, 2) }
            let far: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30]
            let kind = noise.index(40)
            return kind < far.count ? far[kind] : kind < 12 ? Float(noise.index(5) - 2) : noise.float(-3, 3)
        }
        masks = noise.index(3) == 0 ? nil : noise.floats(all * entries, -2, 2)
        sigmoid = noise.index(2) == 0
        end = ConvEnd(&noise, pixels: all, channels: c.outputs)
        expected = answer()
    }

    /// Row and column of the kernel of a tap.
    private func place(_ tap: Int) -> (Int, Int) {
        let rows = shape.conv.kernel.height, columns = shape.conv.kernel.width
        var all =
            shape.column_major != 0
            ? (0..<columns).flatMap { x in (0..<rows).map { ($0, x) } }
            : (0..<rows).flatMap { y in (0..<columns).map { (y, $0) } }
        if shape.skip_centre != 0 { all.removeAll { $0 == (rows / 2, columns / 2) } }
        return all[tap]
    }

    /// The image between its pixels, by the border rule.
    private func sample(_ image: Int, _ channel: Int, _ y: Float, _ x: Float) -> Double {
        let height = shape.conv.input.height, width = shape.conv.input.width
        let low: Float = shape.border == DCN_BORDER_ZERO ? -1 : 0
        let inside = shape.border == DCN_BORDER_ZERO ? y > low && x > low : y >= low && x >= low
        guard inside, y < Float(height), x < Float(width) else { return 0 }
        let y0 = Int(y.rounded(.down)), x0 = Int(x.rounded(.down))
        var sum = 0.0
        for (row, wy) in [(y0, 1 - Double(y) + Double(y0)), (y0 + 1, Double(y) - Double(y0))] {
            for (column, wx) in [(x0, 1 - Double(x) + Double(x0)), (x0 + 1, Double(x) - Double(x0))] {
                if shape.border == DCN_BORDER_ZERO && !(0..<height ~= row && 0..<width ~= column) { continue }
                let at = (image * height + min(row, height - 1)) * width + min(column, width - 1)
                sum += wy * wx * Double(self.x[at * xStride + channel])
            }
        }
        return sum
    }

    /// Mask times sample of one tap and channel.
    private func value(_ pixel: Int, _ tap: Int, _ channel: Int) -> Double {
        let c = shape.conv, entry = channel / (c.channels / shape.offset_groups) * taps + tap
        let inner = pixel % pixels, (i, j) = place(tap)
        let one = offsets[(pixel * entries + entry) * 2], two = offsets[(pixel * entries + entry) * 2 + 1]
        let (dy, dx) = shape.x_first != 0 ? (two, one) : (one, two)
        func position(_ o: Int, _ stride: Int, _ pad: Int, _ k: Int, _ size: Int, _ dilation: Int, _ d: Float)
            -> Float
        {
            let centre = dilation * (size - 1) / 2
            return Float(o * stride - pad + centre) + shape.offset_scale * Float(k * dilation - centre)
                + shape.offset_scale * d
        }
        let y = position(
            inner / c.output.width, c.stride.height, c.pad.height, i, c.kernel.height, c.dilation.height, dy)
        let x = position(
            inner % c.output.width, c.stride.width, c.pad.width, j, c.kernel.width, c.dilation.width, dx)
        let mask = masks.map { Double($0[pixel * entries + entry]) } ?? 1
        return (sigmoid && masks != nil ? 1 / (1 + exp(-mask)) : mask) * sample(pixel / pixels, channel, y, x)
    }

    private func answer() -> [Double] {
        let c = shape.conv, channels = c.channels / c.groups, outputs = c.outputs / c.groups
        let rows = c.kernel.height, columns = c.kernel.width
        var results: [Double] = []
        for pixel in 0..<c.batch * pixels {
            let values = (0..<taps).map { tap in (0..<c.channels).map { value(pixel, tap, $0) } }
            for o in 0..<c.outputs {
                var sum = 0.0
                for tap in 0..<taps {
                    let (i, j) = place(tap), flat = i * columns + j
                    let skipped = shape.skip_centre != 0 && flat > rows / 2 * columns + columns / 2
                    for channel in 0..<channels {
                        let weight = weights[(o * channels + channel) * taps + flat - (skipped ? 1 : 0)]
                        sum +=
                            (shape.ones != 0 ? 1 : Double(weight))
                            * values[tap][o / outputs * channels + channel]
                    }
                }
                results.append(end.finished(sum, pixel: pixel, channel: o))
            }
        }
        return results
    }

    /// Numbers per pixel as channels last, or as planes.
    private func field(_ values: [Float], _ channels: Int, planes: Bool) -> (ConvBuffer, dcn_field) {
        guard planes else {
            let buffer = ConvBuffer(values)
            return (
                buffer,
                dcn_field(
                    data: buffer.pointer, batch_stride: pixels * channels, pixel_stride: channels,
                    channel_stride: 1)
            )
        }
        var turned = values
        for index in values.indices {
            let channel = index % channels, pixel = index / channels
            turned[(pixel / pixels * channels + channel) * pixels + pixel % pixels] = values[index]
        }
        let buffer = ConvBuffer(turned)
        return (
            buffer,
            dcn_field(
                data: buffer.pointer, batch_stride: pixels * channels, pixel_stride: 1, channel_stride: pixels
            )
        )
    }

    /// Packs, plans and runs, tiles backwards; what is wrong, or nil.
    func complaint(_ kernels: ConvKernels, _ noise: inout Noise) -> String? {
        var shape = self.shape, plan = dcn_deform_plan()
        let packed = ConvBuffer(count: dcn_deform_packed_count(&shape))
        guard dcn_deform_pack(&shape, weights, packed.pointer) == packed.count, packed.isGuarded else {
            return "packing"
        }
        let caches = ConvKernels.caches[noise.index(2)]
        guard dcn_deform_make_plan(&shape, caches, kernels.isa, noise.index(2) * noise.index(40), &plan) == 1,
            plan.scratch_bytes <= 4 << 20
        else { return "no plan" }
        let scratch = ConvBuffer(count: plan.scratch_bytes / 4), input = ConvBuffer(x)
        let target = ConvTarget(&noise, pixels: shape.conv.batch * pixels, channels: shape.conv.outputs)
        let offset = field(offsets, 2 * entries, planes: noise.index(2) == 0)
        let mask = masks.map { field($0, entries, planes: noise.index(2) == 0) }
        let planes = ConvBuffer(count: target.pixels * target.channels)
        end.lend { epilogue in
            var arguments = dcn_deform_arguments(
                x: input.pointer, x_stride: xStride, offset: offset.1, mask: mask?.1 ?? dcn_field(),
                mask_sigmoid: sigmoid ? 1 : 0, packed: packed.pointer,
                y: target.output(streaming: noise.index(2) == 0), epilogue: epilogue)
            if shape.row_major != 0 { arguments.y.data = planes.pointer }
            for tile in (0..<plan.tile_count).reversed() {
                kernels.table.deform(&plan, &arguments, tile, scratch.pointer)
            }
        }
        if !scratch.isGuarded || !planes.isGuarded { return "written behind the scratch" }
        if shape.row_major != 0 { target.read(planes, images: shape.conv.batch) }
        let products = Double(shape.conv.channels / shape.conv.groups * taps)
        return target.complaint(expected, within: 4e-6 * (4 + 2 * products.squareRoot()))
    }
}

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
