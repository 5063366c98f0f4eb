internal import CKernels
package import DCNGraph

extension DeformConv: Packable {
    package func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm? {
        guard packed == nil, let weights = inputs.constant(1)?.aligned(), weights.type.element == .float32,
            weights.extents.count == 4,
            !inputs.has(3) || inputs.constant(3) != nil
        else { return nil }
        let window = try window.resolved(kernel: Array(weights.extents[2...]))
        // Any image that holds the kernel will do, but for the choice of form.
        let reach = [0, 1].map { max(1, window.reach($0) - window.pads[$0] - window.pads[$0 + 2]) }
        guard
            var shape = deformShape(
                window, input: [1, groups * weights.extents[1]] + reach, weights: weights.extents)
        else { return nil }
        shape.levels = levels(window, inputs.types[0]?.tensor?.shape, least: reach, weights.extents, choices)
        let source = weights.base.assumingMemoryBound(to: Float.self)
        let count = dcn_deform_packed_count(&shape)
        guard let packed = floats(count: count, { _ = dcn_deform_pack(&shape, source, $0) }) else {
            throw .value(of: "weight", because: "is too large to be packed")
        }
        var op = self
        op.window = window
        op.packed = WeightForm(deform: weights.extents, levels: shape.levels)
        var constants = [1: packed]
        if let bias = inputs.constant(3) { constants[3] = paddedBias(bias.aligned()) }
        return PackedForm(op, constants: constants)
    }

    /// Levels of Strassen's scheme that are worth it.
    private func levels(
        _ window: Window, _ image: Shape?, least: [Int], _ weights: [Int], _ choices: PackingChoices
    ) -> Int32 {
        var input = steeringExtents(image, rank: 4, channels: groups * weights[1])
        for axis in 0..<2 { input[axis + 2] = max(least[axis], input[axis + 2]) }
        guard var shape = deformShape(window, input: input, weights: weights) else { return 0 }
        let accuracy = choices.feedsOffsets ? DCN_ACCURACY_EXACT : choices.accuracy.code
        return dcn_deform_choose(&shape, assumedCaches, accuracy)
    }

    /// The layer as the kernels take it.
    func deformShape(_ window: Window, input: [Int], weights: [Int]) -> dcn_deform_shape? {
        guard let shape = convShape(window, groups: groups, input: input, weights: weights) else {
            return nil
        }
        return dcn_deform_shape(
            conv: shape, offset_groups: offsetGroups,
            border: border == .zero ? DCN_BORDER_ZERO : DCN_BORDER_CLAMP,
            ones: 0, x_first: 0, column_major: 0, skip_centre: 0, offset_scale: 1,
            row_major: resultLayout == .rowMajor ? 1 : 0, levels: packed?.levels ?? 0)
    }
}
