internal import CKernels
internal import DCNGraph

/// A packed deformable convolution: x and y channels last, offsets and masks as they lie.
struct DeformConvKernel: Kernel {
    private let table: ConvTable
    private let plan: dcn_deform_plan
    private let op: DeformConv
    private let inputStride: Int
    private let outputStride: Int
    private let offset: FieldLayout
    private let mask: FieldLayout?
    private let maskStart: Int
    private let streams: Bool

    init(_ op: DeformConv, _ call: Call) throws(Misfit) {
        guard let form = op.packed else { throw .missing("the form of the weights") }
        let input = try call.extents(0)
        let window = try op.window.resolved(kernel: Array(form.extents[2...]))
        guard var shape = op.deformShape(window, input: input, weights: form.extents) else {
            throw .value(of: "x", because: "is too small for the kernel")
        }
        var plan = dcn_deform_plan()
        let bytes = try call.output(0).byteCount ?? 0
        if bytes > 0 {
            let made = dcn_deform_make_plan(
                &shape, machineCaches, call.instructionSet.code, call.tilesWanted, &plan)
            guard made != 0 else { throw .value(of: "the layer", because: "is too large to be planned") }
            try call.expectPacked(plan.packed_count)
        }
        table = try ConvTable(call.instructionSet)
        self.plan = plan
        self.op = op
        inputStride = paddedChannels(input[1])
        outputStride = paddedChannels(form.extents[0])
        offset = try FieldLayout(call.input(2))
        mask = op.jointMask ? offset : call.has(4) ? try FieldLayout(call.input(4)) : nil
        maskStart = op.jointMask ? 2 * op.offsetGroups * window.taps : 0
        streams = isStreamed(byteCount: bytes)
    }

    var tileCount: Int { plan.tile_count }
    var scratchByteCount: Int { plan.scratch_bytes }

    func run(tile: Int, in frame: Frame) {
        var plan = plan
        let maskInput = op.jointMask ? 2 : 4
        var arguments = dcn_deform_arguments(
            x: frame.input(0, as: Float.self), x_stride: inputStride,
            offset: offset.field(frame.input(2, as: Float.self), from: 0),
            mask: mask?.field(frame.input(maskInput, as: Float.self), from: maskStart) ?? dcn_field(),
            mask_sigmoid: op.maskSigmoid ? 1 : 0, packed: frame.input(1, as: Float.self),
            y: dcn_output(
                data: frame.output(0, as: Float.self), stride: outputStride, clear: outputStride,
                streaming: streams ? 1 : 0),
            epilogue: epilogue(op.activation, bias: 3, residual: 5, stride: outputStride, frame))
        table.pointer.pointee.deform(&plan, &arguments, tile, frame.scratch)
    }
}

/// How the numbers of each output pixel lie in an offset or mask tensor.
struct FieldLayout: Sendable {
    private let batch: Int
    private let pixel: Int
    private let channel: Int

    init(_ type: TensorType) throws(Misfit) {
        guard let extents = type.extents, extents.count == 4 else { throw .missing("the shape of offset") }
        let pixels = extents[2] * extents[3]
        let isLast = type.layout == .channelsLast
        pixel = isLast ? paddedChannels(extents[1]) : 1
        channel = isLast ? 1 : pixels
        batch = isLast ? pixels * pixel : extents[1] * pixels
    }

    /// The numbers from channel `start` on.
    func field(_ data: UnsafePointer<Float>, from start: Int) -> dcn_field {
        dcn_field(
            data: data + start * channel, batch_stride: batch, pixel_stride: pixel, channel_stride: channel)
    }
}
