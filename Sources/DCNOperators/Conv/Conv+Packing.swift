internal import CKernels
package import DCNGraph

extension Conv: Packable {
    package func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm? {
        guard packed == nil, let weights = inputs.constant(1)?.aligned(), weights.type.element == .float32,
            let x = inputs.types[0]?.tensor, let shape = x.shape,
            weights.extents.count == shape.rank, shape.rank > 2,
            !inputs.has(2) || inputs.constant(2) != nil
        else { return nil }
        let window = try window.resolved(kernel: Array(weights.extents[2...]))
        let input = steeringExtents(shape, rank: shape.rank, channels: groups * weights.extents[1])
        guard let geometry = convShape(window, groups: groups, input: input, weights: weights.extents),
            let (form, packed) = pack(weights, geometry, choices)
        else { return nil }
        var op = self
        op.window = window
        op.packed = WeightForm(form, extents: weights.extents)
        var constants = [1: packed]
        if let bias = inputs.constant(2) { constants[2] = paddedBias(bias.aligned()) }
        return PackedForm(op, constants: constants)
    }

    private func pack(
        _ weights: Tensor, _ shape: dcn_conv_shape, _ choices: PackingChoices
    ) -> (dcn_conv_form, Tensor)? {
        var shape = shape
        let accuracy = choices.feedsOffsets ? DCN_ACCURACY_EXACT : choices.accuracy.code
        let choose = isPlanes(shape) ? dcn_conv_choose_planes : dcn_conv_choose
        let form = choose(&shape, assumedCaches, accuracy)
        let count = dcn_conv_packed_count(form, &shape)
        let source = weights.base.assumingMemoryBound(to: Float.self)
        guard let packed = floats(count: count, { _ = dcn_conv_pack(form, &shape, source, $0) }) else {
            return nil
        }
        return (form, packed)
    }

    /// A first layer reads its few planes as they come, so that nothing is converted.
    private func isPlanes(_ shape: dcn_conv_shape) -> Bool {
        var shape = shape
        return shape.channels <= 4 && dcn_conv_fits(DCN_CONV_PLANES, &shape) != 0
    }
}

/// Extents of an image that steer the choice of form, and nothing else: where they are zero or not declared, those of a
/// middle layer.
func steeringExtents(_ shape: Shape?, rank: Int, channels: Int) -> [Int] {
    func extent(_ axis: Int, otherwise: Int) -> Int {
        guard let shape, shape.rank == rank, let fixed = shape[axis].fixed, fixed > 0 else {
            return otherwise
        }
        return fixed
    }
    return [extent(0, otherwise: 1), channels] + (2..<rank).map { extent($0, otherwise: 56) }
}

/// The geometry of a convolution as the kernels take it; nil when the kernel does not fit into the input.
func convShape(_ window: Window, groups: Int, input: [Int], weights: [Int]) -> dcn_conv_shape? {
    let rank = window.kernel.count
    func extent(_ values: [Int], missing: Int) -> dcn_extent {
        let all = Array(repeating: missing, count: 3 - rank) + values
        return dcn_extent(depth: all[0], height: all[1], width: all[2])
    }
    let spatial = Array(input[2...])
    let outputs = spatial.indices.map { window.output($0, extent: spatial[$0]) }
    let pads = spatial.indices.map { window.padding($0, extent: spatial[$0]).begin }
    return dcn_conv_shape(
        batch: input[0], channels: input[1], outputs: weights[0], groups: groups,
        input: extent(spatial, missing: 1),
        output: extent(outputs, missing: 1), kernel: extent(window.kernel, missing: 1),
        stride: extent(window.strides, missing: 1), dilation: extent(window.dilations, missing: 1),
        pad: extent(pads, missing: 0), transposed: 0)
}
