internal import DCNGraph

extension RegionSpellings {
    /// Pooled and group size: 0 or absent stands for the other.
    private static func sizes(_ node: SourceNode) throws(Misfit) -> (pooled: Int, group: Int) {
        let pooled = try node.int("pooled_size", default: 0)
        let group = try node.int("group_size", default: 0)
        guard pooled > 0 || group > 0 else { throw .missing("attribute pooled_size") }
        return (pooled == 0 ? group : pooled, group == 0 ? pooled : group)
    }

    static func positionPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (pooled, group) = try sizes(node)
        let bins = RegionBins(
            height: pooled, width: pooled, scale: try node.float("spatial_scale", default: 1), minimum: 0.1)
        return Meaning(PSRoiPool(bins, outputChannels: try node.int("output_dim"), group: group))
    }

    static func openvinoPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let mode = try node.string("mode", default: "average")
        guard mode == "average" else { throw .unsupported("PSROIPooling with mode \(escaped(mode))") }
        node.ignore("spatial_bins_x", "spatial_bins_y")
        return try positionPool(node)
    }

    static func deformablePosition(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (pooled, group) = try sizes(node)
        let part = try node.int("part_size", default: 0)
        let samples = try node.int("sample_per_part", default: 1)
        return try deformable(node, pooled, group, part == 0 ? pooled : part, [samples, samples], 0)
    }

    static func openvinoDeformable(_ node: SourceNode) throws(Misfit) -> Meaning {
        let mode = try node.string("mode", default: "bilinear_deformable")
        guard mode == "bilinear_deformable" else {
            throw .attribute("mode", because: "is \(escaped(mode)), expected bilinear_deformable")
        }
        let (pooled, group) = try sizes(node)
        let perPart = try node.optionalInt("sample_per_part")
        let y = try node.int("spatial_bins_y", default: perPart ?? 1)
        let x = try node.int("spatial_bins_x", default: perPart ?? 1)
        let part = try node.int("part_size", default: perPart == nil ? 1 : 0)
        return try deformable(node, pooled, group, part == 0 ? pooled : part, [y, x], 1)
    }

    private static func deformable(
        _ node: SourceNode, _ pooled: Int, _ group: Int, _ part: Int, _ samples: [Int], _ scale: Float
    ) throws(Misfit) -> Meaning {
        let bins = RegionBins(
            height: pooled, width: pooled, scale: try node.float("spatial_scale", default: 1), offset: 0.5,
            minimum: 0.1)
        let op = DeformPSRoiPool(
            bins, outputChannels: try node.int("output_dim"), group: group, part: part, samples: samples,
            displacementScale: try node.float("trans_std", default: scale))
        let ignoresDisplacements = try node.bool("no_trans", default: node.inputs.count < 3)
        return Meaning(op, order: ignoresDisplacements ? [0, 1] : [0, 1, 2])
    }

    static func torchvisionPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (height, width) = (
            try whole(node, "pooled_height", at: 3), try whole(node, "pooled_width", at: 4)
        )
        guard height == width else { throw .unsupported("ps_roi_pool of \(height) × \(width) bins") }
        let bins = RegionBins(height: height, width: width, scale: try scale(node), minimum: 1)
        let op = PSRoiPool(
            bins, outputChannels: try outputs(node, height &* width), group: height, roundsAfterScaling: true)
        return Meaning(op, order: [0, 1])
    }

    static func torchvisionAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
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
        guard let value = constant(node, index)?.integers?.first else { throw .missing("constant \(name)") }
        return value
    }

    private static func scale(_ node: SourceNode) throws(Misfit) -> Float {
        if let value = try node.optionalFloat("spatial_scale") { return value }
        let tensor = constant(node, 2)
        let real = tensor?.elements(as: Double.self).first.map { Float($0) }
        guard let value = tensor?.type.element == .float64 ? real : tensor?.elements(as: Float.self).first
        else {
            throw .missing("constant spatial_scale")
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
