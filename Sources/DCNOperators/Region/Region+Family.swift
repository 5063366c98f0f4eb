internal import DCNGraph

extension Family {
    private typealias S = RegionSpellings

    /// Pooling of regions of interest.
    static let regions = Family(
        [
            RoiAlign.self, MaxRoiPool.self, PSRoiPool.self, DeformPSRoiPool.self, DeformRoiPool.self,
            PrRoiPool.self,
            MultiLevelRoiAlign.self, BilinearRoiPool.self,
        ],
        [
            "": ["RoiAlign": S.onnxAlign, "MaxRoiPool": S.maximum],
            "mmcv": S.mmcv,
            "mmdeploy": S.mmcv.merging(
                [
                    "MMCVMultiLevelRoiAlign": S.multiLevel,
                    "MMCVMultiLevelRotatedRoiAlign": S.multiLevelRotated,
                    "RoiExtractor": S.extractor,
                ], uniquingKeysWith: { first, _ in first }),
            "org.pytorch._caffe2": ["RoIAlign": S.caffe2, "RoIAlignRotated": S.caffe2Rotated],
            "torchvision": S.torchvision, "detectron2": S.detectron2,
            "org.apache.mxnet": S.mxnet, "org.openvinotoolkit": S.openvino,
        ], anywhere: ["ROIAlign_TRT": S.tensorRT])
}

/// What the files' spellings of region pooling mean.
enum RegionSpellings {
    static let mmcv: [String: Dialect.Spelling] = [
        "MMCVRoiAlign": mmcvAlign, "MMCVRoIAlignRotated": mmcvRotated, "MMCVDeformRoIPool": mmcvDeform,
        "PrRoIPool": precise,
    ]

    private static func aligned(_ bins: inout RegionBins, _ isAligned: Bool) {
        bins.offset = isAligned ? 0.5 : 0
        bins.minimum = isAligned ? nil : 1
    }

    static func onnxAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = RegionBins(
            height: try node.int("output_height", default: 1),
            width: try node.int("output_width", default: 1),
            scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0))
        let mode = try node.string("mode", default: "avg")
        guard mode == "avg" || mode == "max" else {
            throw .attribute("mode", because: "is \(escaped(mode)), expected avg or max")
        }
        var isAligned = false
        if node.version >= 16 {
            let coordinates = try node.string("coordinate_transformation_mode", default: "half_pixel")
            guard coordinates == "half_pixel" || coordinates == "output_half_pixel" else {
                throw .attribute(
                    "coordinate_transformation_mode",
                    because: "is \(escaped(coordinates)), expected half_pixel or output_half_pixel")
            }
            isAligned = coordinates == "half_pixel"
        }
        aligned(&bins, isAligned)
        return Meaning(RoiAlign(bins, mode: mode == "max" ? .maximumCorner : .average))
    }

    static func maximum(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard let shape = try node.optionalInts("pooled_shape") else {
            throw .missing("attribute pooled_shape")
        }
        guard shape.count == 2 else {
            throw .attribute("pooled_shape", because: "has \(shape.count) entries, expected 2")
        }
        let scale = try node.float("spatial_scale", default: 1)
        return Meaning(MaxRoiPool(RegionBins(height: shape[0], width: shape[1], scale: scale)))
    }

    static func mmcvAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = RegionBins(
            height: try node.int("output_height"), width: try node.int("output_width"),
            scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0))
        aligned(&bins, try node.bool("aligned", default: true))
        let mode = try node.string("mode", default: "avg")
        guard mode == "avg" || mode == "max" else {
            throw .attribute("mode", because: "is \(escaped(mode)), expected avg or max")
        }
        return Meaning(RoiAlign(bins, mode: mode == "max" ? .maximum(initial: -10_000) : .average))
    }

    static func mmcvRotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = RegionBins(
            height: try node.int("output_height"), width: try node.int("output_width"),
            scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0))
        aligned(&bins, try node.bool("aligned", default: true))
        var op = RoiAlign(bins)
        op.angleScale = try node.bool("clockwise", default: false) ? -1 : 1
        return Meaning(op)
    }

    static func mmcvDeform(_ node: SourceNode) throws(Misfit) -> Meaning {
        let ratio = try node.float("sampling_ratio", default: 0)
        guard ratio == ratio.rounded(), abs(ratio) < 1e6 else {
            throw .attribute("sampling_ratio", because: "is \(ratio), expected a whole number")
        }
        let names =
            node.has("pooled_height")
            ? (height: "pooled_height", width: "pooled_width")
            : (height: "output_height", width: "output_width")
        let bins = RegionBins(
            height: try node.int(names.height), width: try node.int(names.width),
            scale: try node.float("spatial_scale", default: 1), samplingRatio: Int(ratio), offset: 0.5)
        return Meaning(DeformRoiPool(bins, displacementScale: try node.float("gamma", default: 0.1)))
    }

    static func precise(_ node: SourceNode) throws(Misfit) -> Meaning {
        Meaning(
            PrRoiPool(
                RegionBins(
                    height: try node.int("pooled_height"), width: try node.int("pooled_width"),
                    scale: try node.float("spatial_scale", default: 1))))
    }

    static func caffe2(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = try caffe2Bins(node)
        aligned(&bins, try node.bool("aligned", default: false))
        return Meaning(RoiAlign(bins), order: [0, 1], extra: try zeroBatches(node, corners: 4))
    }

    /// Angles are counter-clockwise degrees.
    static func caffe2Rotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = try caffe2Bins(node)
        aligned(&bins, try node.bool("aligned", default: false))
        var op = RoiAlign(bins)
        op.angleScale = .pi / 180
        return Meaning(op, order: [0, 1], extra: try zeroBatches(node, corners: 5))
    }

    private static func caffe2Bins(_ node: SourceNode) throws(Misfit) -> RegionBins {
        let order = try node.string("order", default: "NCHW")
        guard order == "NCHW" else {
            throw .attribute("order", because: "is \(escaped(order)), expected NCHW")
        }
        return RegionBins(
            height: try node.int("pooled_h", default: 1), width: try node.int("pooled_w", default: 1),
            scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: -1))
    }

    /// Batch indices for regions that come without one: those of one image.
    private static func zeroBatches(_ node: SourceNode, corners: Int) throws(Misfit) -> [Tensor?] {
        // A count below zero is refused where the types of all operands are.
        guard let regions = try node.operands?.optional(1, "rois"), regions.dimension(1).fixed == corners,
            regions.dimension(0).fixed ?? 0 >= 0
        else {
            return []
        }
        guard let count = regions.dimension(0).fixed, count <= 1 << 20 else {
            throw .unsupported("regions without batch indices, as many as the run has: give them indices")
        }
        return [Tensor(vector: [Int64](repeating: 0, count: count))]
    }

    /// TensorRT's plugin: the standard's operator, modes as numbers.
    static func tensorRT(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace")
        var bins = RegionBins(
            height: try node.int("output_height", default: 1),
            width: try node.int("output_width", default: 1),
            scale: try node.float("spatial_scale", default: 1),
            samplingRatio: try node.int("sampling_ratio", default: 0))
        aligned(&bins, try node.bool("coordinate_transformation_mode", default: true))
        let isAverage = try node.bool("mode", default: true)
        return Meaning(
            RoiAlign(bins, mode: isAverage ? .average : .maximum(initial: -.greatestFiniteMagnitude)))
    }
}
