internal import DCNGraph

extension RegionSpellings {
    /// torchvision's operators: sizes and scales come as attributes or as constant operands.
    static let torchvision: [String: Dialect.Spelling] = [
        "ps_roi_pool": torchvisionPool, "ps_roi_align": torchvisionAlign, "roi_pool": torchvisionMaximum,
        "roi_align": torchvisionPlainAlign,
    ]

    /// detectron2's: turned regions, angles in degrees.
    static let detectron2: [String: Dialect.Spelling] = ["roi_align_rotated_forward": detectronRotated]

    private static func torchvisionMaximum(_ node: SourceNode) throws(Misfit) -> Meaning {
        let bins = RegionBins(
            height: try whole(node, "pooled_height", at: 3), width: try whole(node, "pooled_width", at: 4),
            scale: try scale(node))
        return Meaning(MaxRoiPool(bins), order: [0, 1])
    }

    private static func torchvisionPlainAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        let isAligned = try whole(node, "aligned", at: 6) != 0
        let bins = RegionBins(
            height: try whole(node, "pooled_height", at: 3), width: try whole(node, "pooled_width", at: 4),
            scale: try scale(node), samplingRatio: try whole(node, "sampling_ratio", at: 5),
            offset: isAligned ? 0.5 : 0, minimum: isAligned ? nil : 1)
        return Meaning(RoiAlign(bins), order: [0, 1])
    }

    private static func detectronRotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        let bins = RegionBins(
            height: try whole(node, "pooled_height", at: 3), width: try whole(node, "pooled_width", at: 4),
            scale: try scale(node), samplingRatio: try whole(node, "sampling_ratio", at: 5), offset: 0.5)
        var op = RoiAlign(bins)
        op.angleScale = .pi / 180
        return Meaning(op, order: [0, 1])
    }

    private static func torchvisionPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (height, width) = (
            try whole(node, "pooled_height", at: 3), try whole(node, "pooled_width", at: 4)
        )
        let bins = RegionBins(height: height, width: width, scale: try scale(node), minimum: 1)
        let op = PSRoiPool(
            bins, outputChannels: try outputs(node, height &* width), group: nil, roundsAfterScaling: true)
        return Meaning(op, order: [0, 1])
    }

    private static func torchvisionAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        let bins = RegionBins(
            height: try whole(node, "pooled_height", at: 3), width: try whole(node, "pooled_width", at: 4),
            scale: try scale(node), samplingRatio: try whole(node, "sampling_ratio", at: 5), offset: 0.5)
        var op = RoiAlign(bins)
        op.isPositionSensitive = true
        op.emptyIsNaN = true
        return Meaning(op, order: [0, 1])
    }

    /// A number that torchvision gives as an attribute or as a constant operand.
    private static func whole(_ node: SourceNode, _ name: String, at index: Int) throws(Misfit) -> Int {
        if let value = try node.optionalInt(name) { return value }
        guard let value = constant(node, index)?.integers?.first else {
            throw .missing("attribute \(name), or a constant as operand \(index)")
        }
        return value
    }

    private static func scale(_ node: SourceNode) throws(Misfit) -> Float {
        if let value = try node.optionalFloat("spatial_scale") { return value }
        let tensor = constant(node, 2)
        let real = tensor?.elements(as: Double.self).first.map { Float($0) }
        guard let value = tensor?.type.element == .float64 ? real : tensor?.elements(as: Float.self).first
        else {
            throw .missing("attribute spatial_scale, or a constant as operand 2")
        }
        return value
    }

    private static func constant(_ node: SourceNode, _ index: Int) -> Tensor? {
        guard let constants = node.operands?.constants, index < constants.count else { return nil }
        return constants[index]?.tensor
    }

    /// Output channels as they follow from the operand's.
    private static func outputs(_ node: SourceNode, _ bins: Int) throws(Misfit) -> Int {
        guard bins > 0, let shape = node.operands?.types.first??.tensor?.shape, shape.rank == 4,
            let channels = shape[1].fixed
        else { throw .missing("the number of channels of \(escaped(node.opType))") }
        guard channels % bins == 0 else {
            throw .extent(
                of: "X", axis: 1, expected: "a multiple of \(bins)", got: "\(channels)", because: "the bins")
        }
        return channels / bins
    }
}
