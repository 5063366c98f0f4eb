internal import CKernels
package import DCNGraph

extension ConvTranspose {
    /// The geometry as the kernels take it.
    func shape(input: [Int], weights: [Int]) throws(Misfit) -> dcn_conv_shape {
        let place = try placement(Array(weights[2...]))
        let window = place.window
        let rank = weights.count - 2
        func extent(_ values: [Int], missing: Int) -> dcn_extent {
            let all = Array(repeating: missing, count: 3 - rank) + values
            return dcn_extent(depth: all[0], height: all[1], width: all[2])
        }
        let spatial = Array(input[2...])
        return dcn_conv_shape(
            batch: input[0], channels: weights[0], outputs: weights[1] * groups, groups: groups,
            input: extent(spatial, missing: 1),
            output: extent(spatial.indices.map { place.output($0, extent: spatial[$0]) }, missing: 1),
            kernel: extent(window.kernel, missing: 1), stride: extent(window.strides, missing: 1),
            dilation: extent(window.dilations, missing: 1),
            pad: extent(spatial.indices.map { place.padding($0, extent: spatial[$0]) }, missing: 0),
            transposed: 1)
    }
}

extension ConvTranspose: Packable {
    package func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm? {
        guard packed == nil, let weights = inputs.constants[1]?.tensor?.aligned(),
            weights.type.element == .float32,
            (3...5).contains(weights.extents.count), !inputs.has(2) || inputs.constants[2] != nil
        else { return nil }
        // The form does not depend on extents of the image, which only have to be some.
        var op = self
        op.outputShape = []
        op.outputPadding = []
        op.window.autoPad = .explicit
        op.window.pads = []
        let image = [1, weights.extents[0]] + Array(repeating: 8, count: weights.extents.count - 2)
        var shape = try op.shape(input: image, weights: weights.extents)
        let count = dcn_conv_packed_count(DCN_CONV_DIRECT, &shape)
        let source = weights.base.assumingMemoryBound(to: Float.self)
        guard count > 0,
            let packed = floats(count: count, { _ = dcn_conv_pack(DCN_CONV_DIRECT, &shape, source, $0) })
        else { return nil }
        op = self
        op.packed = WeightForm(DCN_CONV_DIRECT, extents: weights.extents)
        var constants = [1: packed]
        if inputs.has(2), let bias = inputs.constants[2]?.tensor { constants[2] = paddedBias(bias.aligned()) }
        return PackedForm(op, constants: constants)
    }
}

/// A packed transposed convolution, channels last in and out.
struct ConvTransposeKernel: Kernel {
    private let table: ConvTable
    private let plan: dcn_conv_plan
    private let activation: Activation
    private let inputStride: Int
    private let outputStride: Int

    init(_ op: ConvTranspose, _ call: Call) throws(Misfit) {
        guard let form = op.packed else { throw .missing("the form of the weights") }
        let input = try call.extents(0)
        var shape = try op.shape(input: input, weights: form.extents)
        var plan = dcn_conv_plan()
        if try call.output(0).elementCount ?? 0 > 0 {
            guard try call.input(0).elementCount ?? 0 > 0 else { throw .value(of: "x", because: "is empty") }
            guard
                dcn_conv_make_plan(
                    DCN_CONV_DIRECT, &shape, machineCaches, call.instructionSet.code, call.tilesWanted,
                    &plan) != 0
            else { throw .value(of: "the convolution", because: "is too large to be planned") }
            guard let count = try call.input(1).elementCount, count == plan.packed_count else {
                throw .extent(
                    of: "weight", axis: 0, expected: "\(plan.packed_count)", got: "another", because: "packed"
                )
            }
        }
        table = try ConvTable(call.instructionSet)
        self.plan = plan
        activation = op.activation
        inputStride = paddedChannels(input[1])
        outputStride = paddedChannels(form.extents[1] * op.groups)
    }

    var tileCount: Int { plan.tile_count }
    var scratchByteCount: Int { plan.scratch_bytes }

    func run(tile: Int, in frame: Frame) {
        var plan = plan
        var arguments = dcn_conv_arguments(
            x: frame.input(0, as: Float.self), x_stride: inputStride, packed: frame.input(1, as: Float.self),
            y: dcn_output(
                data: frame.output(0, as: Float.self), stride: outputStride, clear: outputStride, streaming: 0
            ),
            epilogue: epilogue(activation, bias: 2, residual: 3, stride: outputStride, frame))
        table.pointer.pointee.conv(&plan, &arguments, tile, frame.scratch)
    }
}

/// A transposed convolution whose weights are known only when it runs, or of float64.
struct UnpackedConvTranspose: Routine {
    let op: ConvTranspose
    let input: TensorType
    let output: TensorType

    init(_ op: ConvTranspose, _ call: Call) throws(Misfit) {
        self.op = op
        input = try call.input(0)
        output = try call.output(0)
        guard input.element == .float32 || input.element == .float64 else {
            throw noKernel("ConvTranspose", for: input.element)
        }
    }

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        let operands = inputs.map { $0?.tensor?.aligned() }
        guard let x = operands[0], let weights = operands[1] else { throw .missing("x") }
        if output.elementCount == 0 { return [.tensor(try scope.allocate(output).finished)] }
        let known = Inputs(inputs.map { $0?.type }, constants: inputs)
        guard input.element == .float32, x.count > 0,
            let packed = try op.packed(for: known, choices: PackingChoices(accuracy: .exact)),
            let fast = packed.op as? ConvTranspose
        else {
            let sums = Datum.tensor(try plain(x, weights, operands, scope))
            return [try op.activation.finished(sums, residual: inputs.count > 3 ? inputs[3] : nil, in: scope)]
        }
        var given = operands
        for (index, constant) in packed.constants { given[index] = constant }
        return [.tensor(try runChannelsLast(fast, given, rule: fast.layoutRule(for: known), scope))]
    }

    private func plain(
        _ x: Tensor, _ weights: Tensor, _ operands: [Tensor?], _ scope: any Scope
    ) throws(Misfit) -> Tensor {
        let place = try op.placement(Array(weights.extents[2...]))
        let sums = PlainConvTranspose(
            place: place, groups: op.groups, input: x.extents, weights: weights.extents,
            output: output.extents ?? [])
        let values = [x, weights, operands.count > 2 ? operands[2] : nil].map { tensor in tensor.map(doubles)
        }
        let result = try scope.allocate(output)
        let y = sums.run(values[0] ?? [], values[1] ?? [], values[2])
        if input.element == .float64 {
            for (index, value) in y.enumerated() { result.elements(as: Double.self)[index] = value }
        } else {
            for (index, value) in y.enumerated() { result.elements(as: Float.self)[index] = Float(value) }
        }
        return result.finished
    }

    private func doubles(_ tensor: Tensor) -> [Double] {
        tensor.type.element == .float64
            ? tensor.elements(as: Double.self) : tensor.elements(as: Float.self).map(Double.init)
    }
}

/// A transposed convolution by its formula: every input adds to the results its taps reach.
struct PlainConvTranspose {
    let place: TransposedWindow
    let groups: Int
    let input: [Int]
    let weights: [Int]
    let output: [Int]

    func run(_ x: [Double], _ w: [Double], _ bias: [Double]?) -> [Double] {
        let pixels = output[2...].reduce(1, *)
        let sources = input[2...].reduce(1, *)
        let taps = place.window.taps
        var y = [Double](repeating: 0, count: output.reduce(1, *))
        if let bias { for index in y.indices { y[index] = bias[index / pixels % output[1]] } }
        for source in 0..<sources {
            for tap in 0..<taps {
                guard let target = position(source, tap) else { continue }
                for image in 0..<input[0] {
                    for channel in 0..<input[1] {
                        let value = x[(image * input[1] + channel) * sources + source]
                        let first = channel / (input[1] / groups) * weights[1]
                        for o in 0..<weights[1] {
                            y[(image * output[1] + first + o) * pixels + target] +=
                                value * w[(channel * weights[1] + o) * taps + tap]
                        }
                    }
                }
            }
        }
        return y
    }

    /// Where a tap of an input lands, counted from the plane's begin; nil outside.
    private func position(_ source: Int, _ tap: Int) -> Int? {
        var (source, tap, position, step) = (source, tap, 0, 1)
        for axis in place.window.kernel.indices.reversed() {
            let kernel = place.window.kernel[axis]
            let coordinate =
                source % input[axis + 2] * place.window.strides[axis] + tap % kernel
                * place.window.dilations[axis]
                - place.padding(axis, extent: input[axis + 2])
            guard coordinate >= 0, coordinate < output[axis + 2] else { return nil }
            position += coordinate * step
            step *= output[axis + 2]
            source /= input[axis + 2]
            tap /= kernel
        }
        return position
    }
}
