internal import DCNGraph

extension RegionSpellings {
    /// Pooled and group size: 0 or absent stands for the other.
    private static func sizes(_ node: SourceNode) throws(Misfit) -> (pooled: Int, group: Int) {
        let pooled = try node.whole("pooled_size", default: 0)
        let group = try node.whole("group_size", default: 0)
        guard pooled > 0 || group > 0 else { throw .missing("attribute pooled_size") }
        return (pooled == 0 ? group : pooled, group == 0 ? pooled : group)
    }

    static func positionPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (pooled, group) = try sizes(node)
        let bins = RegionBins(
            height: pooled, width: pooled, scale: try node.real("spatial_scale", default: 1), minimum: 0.1)
        return Meaning(PSRoiPool(bins, outputChannels: try node.whole("output_dim"), group: group))
    }

    static func deformablePosition(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (pooled, group) = try sizes(node)
        let part = try node.whole("part_size", default: 0)
        let samples = try node.whole("sample_per_part", default: 1)
        var meaning = try deformable(
            node, pooled, group, part == 0 ? pooled : part, [samples, samples], 0)
        meaning.visible = 1
        return meaning
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
            height: pooled, width: pooled, scale: try node.real("spatial_scale", default: 1), offset: 0.5,
            minimum: 0.1)
        let op = DeformPSRoiPool(
            bins, outputChannels: try node.whole("output_dim"), group: group, part: part, samples: samples,
            displacementScale: try node.real("trans_std", default: scale))
        let isWithout = try node.flag("no_trans")
        let ignoresDisplacements = isWithout || node.inputs.count < 3
        return Meaning(op, order: ignoresDisplacements ? [0, 1] : [0, 1, 2])
    }
}
