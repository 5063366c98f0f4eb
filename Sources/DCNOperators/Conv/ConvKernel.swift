internal import CKernels
internal import DCNGraph

/// A table of C kernels: static data, safe to share.
struct ConvTable: @unchecked Sendable {
    let pointer: UnsafePointer<dcn_conv_table>

    init(_ instructionSet: InstructionSet) throws(Misfit) {
        guard let pointer = dcn_conv_kernels(instructionSet.code) else {
            throw .system("this machine has no \(instructionSet.rawValue)")
        }
        self.pointer = pointer
    }
}

/// A packed convolution.
struct ConvKernel: Kernel {
    private let table: ConvTable
    private let plan: dcn_conv_plan
    private let activation: Activation
    private let inputStride: Int
    private let outputStride: Int
    private let streams: Bool

    init(_ op: Conv, _ call: Call) throws(Misfit) {
        let form = try op.weightForm()
        var shape = try op.geometry(call, form)
        var plan = dcn_conv_plan()
        let bytes = try call.output(0).byteCount ?? 0
        if bytes == 0 {
            plan.tile_count = 0
        } else {
            let made = dcn_conv_make_plan(
                form.code(for: try call.output(0).layout), &shape, machineCaches, call.instructionSet.code,
                call.tilesWanted, &plan)
            guard made != 0 else {
                throw .value(of: "the convolution", because: "is too large to be planned")
            }
        }
        if bytes > 0 { try call.expectPacked(plan.packed_count, because: "packed as \(form.form)") }
        table = try ConvTable(call.instructionSet)
        self.plan = plan
        activation = op.activation
        inputStride = paddedChannels(shape.channels)
        outputStride = paddedChannels(form.extents[0])
        streams = isStreamed(byteCount: bytes)
    }

    var tileCount: Int { plan.tile_count }
    var scratchByteCount: Int { plan.scratch_bytes }

    /// Sums that are stored once may overwrite the residual: each is added right before its place is written. There is
    /// no plan to ask where there are no outputs.
    var inPlace: [InPlace] {
        guard plan.tile_count > 0, withUnsafePointer(to: plan, dcn_conv_stores_once) != 0 else { return [] }
        return [InPlace(output: 0, input: 3)]
    }

    func run(tile: Int, in frame: Frame) {
        var plan = plan
        let isInPlace =
            frame.optionalInput(3, as: Float.self) == UnsafePointer(frame.output(0, as: Float.self))
        var arguments = dcn_conv_arguments(
            x: frame.input(0, as: Float.self), x_stride: inputStride, packed: frame.input(1, as: Float.self),
            y: dcn_output(
                data: frame.output(0, as: Float.self), stride: outputStride, clear: outputStride,
                streaming: streams && !isInPlace ? 1 : 0),
            epilogue: epilogue(activation, bias: 2, residual: 3, stride: outputStride, frame))
        table.pointer.pointee.conv(&plan, &arguments, tile, frame.scratch)
    }
}

/// What happens to sums before they are stored; operands that are left out are null.
func epilogue(_ activation: Activation, bias: Int, residual: Int, stride: Int, _ frame: Frame) -> dcn_epilogue
{
    dcn_epilogue(
        bias: frame.optionalInput(bias, as: Float.self),
        residual: frame.optionalInput(residual, as: Float.self),
        residual_stride: stride, activation: activation.code, alpha: activation.alpha, beta: activation.beta,
        residual_last: 0)
}

extension Conv {
    /// How the weights are packed.
    func weightForm() throws(Misfit) -> WeightForm {
        guard let packed else { throw .missing("the form of the weights") }
        return packed
    }

    /// The geometry that a call asks for.
    func geometry(_ call: Call, _ form: WeightForm) throws(Misfit) -> dcn_conv_shape {
        let window = try window.resolved(kernel: Array(form.extents[2...]))
        let shape = convShape(window, groups: groups, input: try call.extents(0), weights: form.extents)
        guard let shape else { throw .value(of: "x", because: "is too small for the kernel") }
        return shape
    }
}
