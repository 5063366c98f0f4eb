internal import CKernels
package import DCNGraph

extension DeformConv: Packable {
    package func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm? {
        guard packed == nil, let weights = inputs.constant(1)?.aligned(), weights.type.element == .float32,
            weights.extents.count == 4,
            !inputs.has(3) || inputs.constant(3) != nil
        else { return nil }
        let window = try window.resolved(kernel: Array(weights.extents[2...]))
        // Packed weights do not depend on the extents of the image; any that holds the kernel will do.
        let reach = [0, 1].map { max(1, window.reach($0) - window.pads[$0] - window.pads[$0 + 2]) }
        guard
            var shape = deformShape(
                window, input: [1, groups * weights.extents[1]] + reach, weights: weights.extents)
        else { return nil }
        let source = weights.base.assumingMemoryBound(to: Float.self)
        let count = dcn_deform_packed_count(&shape)
        guard let packed = floats(count: count, { _ = dcn_deform_pack(&shape, source, $0) }) else {
            throw .value(of: "weight", because: "is too large to be packed")
        }
        var op = self
        op.window = window
        op.packed = WeightForm(deform: weights.extents)
        var constants = [1: packed]
        if let bias = inputs.constant(3) { constants[3] = paddedBias(bias.aligned()) }
        return PackedForm(op, constants: constants)
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
            row_major: resultLayout == .rowMajor ? 1 : 0)
    }
}
