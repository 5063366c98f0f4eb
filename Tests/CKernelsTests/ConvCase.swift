import CKernels
import Testing

/// A convolution with its operands, and its answer from the definition.
struct ConvCase: CustomStringConvertible {
    let shape: dcn_conv_shape
    let x: [Float], weights: [Float], end: ConvEnd
    let xOffset: Int, xStride: Int
    let expected: [Double]

    var description: String { "\(shape)" }
    var products: Int { shape.channels / shape.groups * volume(shape.kernel) }

    init(_ shape: dcn_conv_shape, _ noise: inout Noise) {
        self.shape = shape
        xOffset = noise.index(3) == 0 ? noise.index(5) : 0
        xStride = dcn_padded(shape.channels + xOffset)
        x = noise.floats(shape.batch * volume(shape.input) * xStride)
        weights = noise.floats(shape.channels / shape.groups * shape.outputs * volume(shape.kernel))
        end = ConvEnd(&noise, pixels: shape.batch * volume(shape.output), channels: shape.outputs)
        expected = Self.answer(shape, Array(x.dropFirst(xOffset)), xStride, weights, end)
    }

    /// Every tap of every pixel: forward it gathers, transposed it scatters; only which side is walked differs.
    static func answer(
        _ s: dcn_conv_shape, _ x: [Float], _ stride: Int, _ weights: [Float], _ end: ConvEnd
    ) -> [Double] {
        let walked = s.transposed != 0 ? s.input : s.output, other = s.transposed != 0 ? s.output : s.input
        let pixels = s.batch * volume(s.output)
        var sums = [Double](repeating: 0, count: pixels * s.outputs)
        for image in 0..<s.batch {
            for place in positions(walked) {
                for (tap, k) in positions(s.kernel).enumerated() {
                    let there = dcn_extent(
                        depth: place.depth * s.stride.depth - s.pad.depth + k.depth * s.dilation.depth,
                        height: place.height * s.stride.height - s.pad.height + k.height * s.dilation.height,
                        width: place.width * s.stride.width - s.pad.width + k.width * s.dilation.width)
                    guard let from = pixel(place, in: walked, image), let to = pixel(there, in: other, image)
                    else { continue }
                    let (source, target) = s.transposed != 0 ? (from, to) : (to, from)
                    add(s, tap, x, source * stride, weights, &sums, target * s.outputs)
                }
            }
        }
        return sums.indices.map { end.finished(sums[$0], pixel: $0 / s.outputs, channel: $0 % s.outputs) }
    }

    private static func add(
        _ s: dcn_conv_shape, _ tap: Int, _ x: [Float], _ source: Int, _ weights: [Float],
        _ sums: inout [Double],
        _ target: Int
    ) {
        let channels = s.channels / s.groups, outputs = s.outputs / s.groups, taps = volume(s.kernel)
        for group in 0..<s.groups {
            for o in 0..<outputs {
                var sum = 0.0
                for c in 0..<channels {
                    let forward = ((group * outputs + o) * channels + c) * taps + tap
                    let transposed = ((group * channels + c) * outputs + o) * taps + tap
                    let weight = weights[s.transposed != 0 ? transposed : forward]
                    sum += Double(weight) * Double(x[source + group * channels + c])
                }
                sums[target + group * outputs + o] += sum
            }
        }
    }

    /// The input as the form wants it.
    func input(_ form: dcn_conv_form) -> ConvBuffer {
        guard form.readsPlanes else { return ConvBuffer(x) }
        return ConvBuffer(planes(Array(x.dropFirst(xOffset)), shape.channels, volume(shape.input), xStride))
    }

    /// Channels-last numbers row-major.
    private func planes<Number>(_ x: [Number], _ channels: Int, _ pixels: Int, _ stride: Int) -> [Number] {
        (0..<shape.batch * channels * pixels).map {
            x[($0 / pixels / channels * pixels + $0 % pixels) * stride + $0 / pixels % channels]
        }
    }

    /// Packs, plans and runs, tiles backwards; what is wrong, or nil.
    func complaint(_ form: dcn_conv_form, _ kernels: ConvKernels, _ noise: inout Noise, bound: Double)
        -> String?
    {
        var shape = self.shape, plan = dcn_conv_plan()
        let packed = ConvBuffer(count: dcn_conv_packed_count(form, &shape))
        guard dcn_conv_pack(form, &shape, weights, packed.pointer) == packed.count, packed.isGuarded else {
            return "packing"
        }
        let caches = ConvKernels.caches[noise.index(2)]
        guard
            dcn_conv_make_plan(form, &shape, caches, kernels.isa, noise.index(2) * noise.index(40), &plan)
                == 1
        else { return "no plan" }
        let scratch = ConvBuffer(count: plan.scratch_bytes / 4)
        if form.writesPlanes {
            return rowMajorComplaint(&plan, packed, scratch, kernels, streaming: noise.index(2) == 0, bound)
        }
        var target = ConvTarget(&noise, pixels: shape.batch * volume(shape.output), channels: shape.outputs)
        let input = self.input(form)
        let streaming = noise.index(2) == 0
        let inPlace = end.residual != nil && !end.residualLast && dcn_conv_stores_once(&plan) != 0
        if inPlace && noise.index(2) == 0 { target.fill(with: end) }
        end.lend { epilogue in
            var arguments = dcn_conv_arguments(
                x: UnsafePointer(input.pointer + (form.readsPlanes ? 0 : xOffset)), x_stride: xStride,
                packed: packed.pointer, y: target.output(streaming: streaming), epilogue: epilogue)
            if target.holdsResidual {
                arguments.y.streaming = 0
                arguments.epilogue.residual = UnsafePointer(arguments.y.data)
                arguments.epilogue.residual_stride = target.stride
            }
            for tile in (0..<plan.tile_count).reversed() {
                kernels.table.conv(&plan, &arguments, tile, scratch.pointer)
            }
        }
        if !scratch.isGuarded { return "written behind the scratch" }
        return target.complaint(expected, within: bound)
    }
}

extension ConvCase {
    /// The same with a row-major result and residual.
    private func rowMajorComplaint(
        _ plan: inout dcn_conv_plan, _ packed: ConvBuffer, _ scratch: ConvBuffer, _ kernels: ConvKernels,
        streaming: Bool, _ bound: Double
    ) -> String? {
        let pixels = volume(shape.output), input = self.input(plan.form)
        let want = planes(expected, shape.outputs, pixels, shape.outputs)
        let y = ConvBuffer(count: want.count)
        var end = self.end
        end.residual = end.residual.map { planes($0, shape.outputs, pixels, end.residualStride) }
        end.lend { epilogue in
            var arguments = dcn_conv_arguments(
                x: input.pointer, x_stride: 0, packed: packed.pointer,
                y: dcn_output(data: y.pointer, stride: 0, clear: 0, streaming: streaming ? 1 : 0),
                epilogue: epilogue)
            for tile in (0..<plan.tile_count).reversed() {
                kernels.table.conv(&plan, &arguments, tile, scratch.pointer)
            }
        }
        if !scratch.isGuarded { return "written behind the scratch" }
        for (index, value) in want.enumerated() where !(abs(Double(y[index]) - value) <= bound) {
            return "element \(index): got \(y[index]), expected \(value)"
        }
        return y.isGuarded ? nil : "written behind the output"
    }
}

private func volume(_ e: dcn_extent) -> Int { e.depth * e.height * e.width }

private func positions(_ e: dcn_extent) -> [dcn_extent] {
    (0..<volume(e)).map {
        dcn_extent(depth: $0 / e.width / e.height, height: $0 / e.width % e.height, width: $0 % e.width)
    }
}

private func pixel(_ p: dcn_extent, in e: dcn_extent, _ image: Int) -> Int? {
    guard p.depth >= 0, p.height >= 0, p.width >= 0, p.depth < e.depth, p.height < e.height, p.width < e.width
    else { return nil }
    return ((image * e.depth + p.depth) * e.height + p.height) * e.width + p.width
}
