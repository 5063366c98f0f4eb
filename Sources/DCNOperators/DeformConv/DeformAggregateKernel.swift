internal import CKernels
internal import DCNGraph

/// A deformable aggregation on tensors whose last axis is the channels, read and written where they lie.
struct DeformAggregateKernel: Kernel {
    private let table: ConvTable
    private let plan: dcn_deform_plan
    private let channels: Int
    private let pixels: Int
    /// Masks of one pixel.
    private let width: Int

    init(_ op: DeformAggregate, _ call: Call) throws(Misfit) {
        let input = try call.extents(0)
        let output = try call.outputExtents(0)
        let window = try op.resolvedWindow()
        channels = input[3]
        var plan = dcn_deform_plan()
        if try call.output(0).elementCount ?? 0 > 0 {
            var shape = try Self.shape(op, window, input: input)
            let made = dcn_deform_make_plan(
                &shape, machineCaches, call.instructionSet.code, call.tilesWanted, &plan)
            guard made != 0 else { throw .value(of: "the layer", because: "is too large to be planned") }
        }
        table = try ConvTable(call.instructionSet)
        self.plan = plan
        pixels = output[1] * output[2]
        width = op.groups * op.taps
    }

    private static func shape(_ op: DeformAggregate, _ window: Window, input: [Int]) throws(Misfit)
        -> dcn_deform_shape
    {
        let extents = [input[0], input[3], input[1], input[2]]
        guard
            let conv = convShape(
                window, groups: input[3], input: extents, weights: [input[3], 1] + window.kernel)
        else { throw .value(of: "x", because: "is too small for the kernel") }
        return dcn_deform_shape(
            conv: conv, offset_groups: op.groups, border: DCN_BORDER_ZERO, ones: 1, x_first: 1,
            column_major: 1,
            skip_centre: op.skipsCentre ? 1 : 0, offset_scale: op.offsetScale, row_major: 0, levels: 0)
    }

    var tileCount: Int { plan.tile_count }
    var scratchByteCount: Int { plan.scratch_bytes }

    func run(tile: Int, in frame: Frame) {
        var plan = plan
        func field(_ input: Int, _ count: Int) -> dcn_field {
            dcn_field(
                data: frame.input(input, as: Float.self), batch_stride: pixels * count, pixel_stride: count,
                channel_stride: 1)
        }
        var arguments = dcn_deform_arguments(
            x: frame.input(0, as: Float.self), x_stride: channels, offset: field(1, 2 * width),
            mask: field(2, width),
            mask_sigmoid: 0, packed: nil,
            y: dcn_output(data: frame.output(0, as: Float.self), stride: channels, clear: 0, streaming: 0),
            epilogue: dcn_epilogue())
        table.pointer.pointee.deform(&plan, &arguments, tile, frame.scratch)
    }
}

/// A deformable aggregation by its formula, in float64.
struct PlainDeformAggregate: Routine {
    let op: DeformAggregate
    let window: Window
    let output: TensorType

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        let operands = inputs.compactMap { $0?.tensor?.aligned() }
        guard operands.count == 3 else { throw .missing("mask") }
        let result = try scope.allocate(output)
        let image = operands[0].extents
        let (x, offset, mask) = (
            operands[0].elements(as: Double.self), operands[1].elements(as: Double.self),
            operands[2].elements(as: Double.self)
        )
        let y = result.elements(as: Double.self)
        let extents = result.type.extents ?? []
        let perGroup = image[3] / op.groups
        for index in y.indices {
            let (place, channel) = (index / image[3], index % image[3])
            let (n, oy, ox) = (
                place / (extents[1] * extents[2]), place / extents[2] % extents[1], place % extents[2]
            )
            var sum = 0.0
            for tap in 0..<op.taps {
                let entry = (place * op.groups + channel / perGroup) * op.taps + tap
                let (py, px) = position(oy, ox, tap, dy: offset[2 * entry + 1], dx: offset[2 * entry])
                sum += mask[entry] * sample(x, image, n, channel, py, px)
            }
            y[index] = sum
        }
        return [.tensor(result.finished)]
    }

    private func position(_ oy: Int, _ ox: Int, _ tap: Int, dy: Double, dx: Double) -> (y: Double, x: Double)
    {
        let (height, width) = (window.kernel[0], window.kernel[1])
        let isPast = op.skipsCentre && tap >= width / 2 * height + height / 2
        let index = tap + (isPast ? 1 : 0)
        let (j, i) = (index % height, index / height)
        func along(_ axis: Int, _ o: Int, _ t: Int, _ d: Double) -> Double {
            let half = window.dilations[axis] * (window.kernel[axis] - 1) / 2
            let centre = o * window.strides[axis] - window.pads[axis] + half
            return Double(centre) + Double(op.offsetScale) * (Double(t * window.dilations[axis] - half) + d)
        }
        return (along(0, oy, j, dy), along(1, ox, i, dx))
    }

    private func sample(_ x: [Double], _ image: [Int], _ n: Int, _ channel: Int, _ py: Double, _ px: Double)
        -> Double
    {
        guard py > -1, py < Double(image[1]), px > -1, px < Double(image[2]) else { return 0 }
        let (y0, x0) = (Int(py.rounded(.down)), Int(px.rounded(.down)))
        let (fy, fx) = (py - Double(y0), px - Double(x0))
        func at(_ row: Int, _ column: Int) -> Double {
            guard row >= 0, row < image[1], column >= 0, column < image[2] else { return 0 }
            return x[((n * image[1] + row) * image[2] + column) * image[3] + channel]
        }
        return (1 - fy) * ((1 - fx) * at(y0, x0) + fx * at(y0, x0 + 1))
            + fy * ((1 - fx) * at(y0 + 1, x0) + fx * at(y0 + 1, x0 + 1))
    }
}
