internal import DCNGraph

extension RegionSpellings {
    /// OpenVINO's operators, attributes as its intermediate form names them.
    static let openvino: [String: Dialect.Spelling] = [
        "ExperimentalDetectronROIFeatureExtractor": detectron, "PSROIPooling": openvinoPool,
        "DeformablePSROIPooling": openvinoDeformable, "ROIPooling": openvinoRegions,
        "ROIAlign": openvinoAlign, "ROIAlignRotated": openvinoRotated,
    ]

    private static func pooled(_ node: SourceNode) throws(Misfit) -> (height: Int, width: Int) {
        for name in ["output_size", "output_roi"] {
            if let both = try node.numbers(name), both.count == 2 { return (both[0], both[1]) }
        }
        return (try node.int("pooled_h"), try node.int("pooled_w"))
    }

    private static func openvinoRegions(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (height, width) = try pooled(node)
        let method = try node.string("method", default: "max")
        let scale = try node.float("spatial_scale", default: 1)
        switch method {
        case "max": return Meaning(MaxRoiPool(RegionBins(height: height, width: width, scale: scale)))
        // Corners are shares of the image already.
        case "bilinear": return Meaning(BilinearRoiPool(RegionBins(height: height, width: width)))
        default: throw .attribute("method", because: "is \(escaped(method)), expected max or bilinear")
        }
    }

    private static func openvinoAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (height, width) = try pooled(node)
        var bins = RegionBins(
            height: height, width: width, scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0))
        let coordinates = try node.string("aligned_mode", default: "asymmetric")
        switch coordinates {
        case "asymmetric": bins.minimum = 1
        case "half_pixel_for_nn": bins.offset = 0.5
        // (x + ½) · scale − ½
        case "half_pixel": bins.offset = 0.5 - 0.5 * bins.scale
        default:
            throw .attribute(
                "aligned_mode",
                because: "is \(escaped(coordinates)), expected asymmetric, half_pixel_for_nn or half_pixel")
        }
        let mode = try node.string("mode", default: "avg")
        guard mode == "avg" || mode == "max" else {
            throw .attribute("mode", because: "is \(escaped(mode)), expected avg or max")
        }
        try expectBatches(node)
        return Meaning(RoiAlign(bins, mode: mode == "max" ? .maximum(initial: 0) : .average))
    }

    private static func openvinoRotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (height, width) = try pooled(node)
        let bins = RegionBins(
            height: height, width: width, scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0), offset: 0.5)
        var op = RoiAlign(bins)
        op.angleScale = try node.bool("clockwise_mode", default: false) ? -1 : 1
        try expectBatches(node)
        return Meaning(op)
    }

    private static func expectBatches(_ node: SourceNode) throws(Misfit) {
        guard node.inputs.count >= 3 else { throw .missing("batch_indices") }
    }

    static func openvinoPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        let mode = try node.string("mode", default: "average")
        let across = try node.int("spatial_bins_x", default: 1)
        let down = try node.int("spatial_bins_y", default: 1)
        switch mode {
        case "average": return try positionPool(node)
        case "bilinear":
            let size = try node.int("pooled_size", default: try node.int("group_size"))
            _ = try node.optionalInt("output_dim")
            let bins = RegionBins(
                height: size, width: size, scale: try node.float("spatial_scale", default: 1))
            return Meaning(BilinearRoiPool(bins, parts: [down, across]))
        default: throw .attribute("mode", because: "is \(escaped(mode)), expected average or bilinear")
        }
    }
}
