import CKernels
import Foundation
import Testing

/// A deformable convolution with its operands, and its answer from the definition.
struct DeformCase {
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
