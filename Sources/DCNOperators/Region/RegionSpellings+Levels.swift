internal import DCNGraph

extension RegionSpellings {
    private static func bins(_ height: Int, _ width: Int, _ node: SourceNode, ratio: String) throws(Misfit)
        -> RegionBins
    {
        let isAligned = try node.bool("aligned", default: true)
        return RegionBins(
            height: height, width: width, samplingRatio: try node.int(ratio, default: 0),
            offset: isAligned ? 0.5 : 0,
            minimum: isAligned ? nil : 1)
    }

    private static func inverses(_ strides: [Float]?) throws(Misfit) -> [Float] {
        guard let strides else { throw .missing("attribute featmap_strides") }
        guard strides.allSatisfy({ $0 > 0 }) else {
            throw .attribute("featmap_strides", because: "has \(strides), expected positive numbers")
        }
        return strides.map { 1 / $0 }
    }

    static func multiLevel(_ node: SourceNode) throws(Misfit) -> Meaning {
        let bins = try bins(
            try node.int("output_height"), try node.int("output_width"), node, ratio: "sampling_ratio")
        let isAverage = try node.bool("pool_mode", default: true)
        let op = MultiLevelRoiAlign(
            bins, mode: isAverage ? .average : .maximum(initial: -.greatestFiniteMagnitude),
            scales: try inverses(try node.optionalFloats("featmap_strides")),
            canonicalSize: Float(try node.int("finest_scale", default: 56)),
            growth: try node.float("roi_scale_factor", default: 0))
        return Meaning(op)
    }

    static func multiLevelRotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        let bins = try bins(
            try node.int("output_height"), try node.int("output_width"), node, ratio: "sampling_ratio")
        let op = MultiLevelRoiAlign(
            bins, scales: try inverses(try node.optionalFloats("featmap_strides")),
            canonicalSize: Float(try node.int("finest_scale", default: 56)),
            growth: try node.float("roi_scale_factor", default: 0),
            angleScale: try node.bool("clockwise", default: false) ? -1 : 1)
        return Meaning(op)
    }

    static func extractor(_ node: SourceNode) throws(Misfit) -> Meaning {
        let mode = try node.string("pool_mode", default: "avg")
        guard mode == "avg" || mode == "max" else {
            throw .attribute("pool_mode", because: "is \(escaped(mode)), expected avg or max")
        }
        guard let scales = try node.optionalFloats("spatial_scale") else {
            throw .missing("attribute spatial_scale")
        }
        let bins = try bins(
            try node.int("pooled_height"), try node.int("pooled_width"), node, ratio: "sample_num")
        let op = MultiLevelRoiAlign(
            bins, mode: mode == "avg" ? .average : .maximum(initial: -.greatestFiniteMagnitude),
            scales: scales,
            canonicalSize: Float(try node.int("finest_scale", default: 56)),
            growth: try node.float("roi_scale_factor", default: 0))
        let last = node.inputs.count - 1
        return Meaning(op, order: last < 1 ? nil : [last] + Array(0..<last))
    }

    static func detectron(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("image_id", "distribute_rois_between_levels", "preserve_rois_order")
        let size = try node.int("output_size", default: 7)
        let strides = try node.ints("pyramid_scales", default: [4, 8, 16, 32, 64])
        let isAligned = try node.bool("aligned", default: false)
        let bins = RegionBins(
            height: size, width: size, samplingRatio: try node.int("sampling_ratio", default: 2),
            offset: isAligned ? 0.5 : 0, minimum: 1)
        let op = MultiLevelRoiAlign(
            bins, scales: try inverses(strides.map { Float($0) }), canonicalSize: 224, levelShift: 2,
            hasBatches: false,
            skipsEmpty: true)
        return Meaning(op)
    }
}
