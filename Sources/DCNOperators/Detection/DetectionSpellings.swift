internal import DCNGraph

/// What files' spellings of detection heads mean.
enum DetectionSpellings {
    static func openvino(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("num_classes")
        var op = PriorDetection(.grouped)
        op.background = try node.int("background_label_id", default: 0)
        op.best = try node.int("top_k", default: -1)
        op.encodesVariances = try node.bool("variance_encoded_in_target", default: false)
        op.keeps = try node.ints("keep_top_k", default: [1]).first ?? 1
        let code = try node.string("code_type", default: "caffe.PriorBoxParameter.CORNER")
        switch code.split(separator: ".").last {
        case "CORNER": op.coding = .corner
        case "CENTER_SIZE": op.coding = .centre
        default:
            throw .attribute("code_type", because: "is \(escaped(code)), expected CORNER or CENTER_SIZE")
        }
        op.sharesBoxes = try node.bool("share_location", default: true)
        op.threshold = try node.float("nms_threshold")
        op.leastScore = try node.float("confidence_threshold", default: 0)
        op.clipsAfter = try node.bool("clip_after_nms", default: false)
        op.clipsBefore = try node.bool("clip_before_nms", default: false)
        op.takesBestClass = try node.bool("decrease_label_id", default: false)
        let extents = [
            Float(try node.int("input_width", default: 1)), Float(try node.int("input_height", default: 1)),
        ]
        if try !node.bool("normalized", default: true) { op.extents = extents }
        op.leastObject = try node.float("objectness_score", default: 0)
        return Meaning(op)
    }

    static func tensorRT(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace", "numClasses", "scoreBits", "isBatchAgnostic")
        var op = PriorDetection(.ranked)
        op.sharesBoxes = try node.bool("shareLocation", default: true)
        op.encodesVariances = try node.bool("varianceEncodedInTarget", default: false)
        op.background = try node.int("backgroundLabelId", default: 0)
        (op.best, op.keeps) = (try node.int("topK"), try node.int("keepTopK"))
        op.leastScore = try node.float("confidenceThreshold")
        op.threshold = try node.float("nmsThreshold")
        let code = try node.int("codeType", default: 1)
        guard (0...3).contains(code) else {
            throw .attribute("codeType", because: "is \(code), expected 0 … 3")
        }
        op.coding = [.corner, .centre, .size, .turned][code]
        op.hasLogits = try node.bool("confSigmoid", default: false)
        op.plus = try node.bool("isNormalized", default: true) ? 0 : 1
        let order = try node.ints("inputOrder", default: [0, 1, 2])
        guard order.sorted() == [0, 1, 2] else {
            throw .attribute("inputOrder", because: "is \(order), expected an order of 0, 1, 2")
        }
        return Meaning(op, order: order)
    }

    static func ncnn(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("num_class")
        var op = PriorDetection(.listed)
        op.coding = .centre
        op.leastScore = try node.float("score_threshold", default: 0.35)
        op.threshold = try node.float("nms_threshold", default: 0.45)
        op.best = try node.int("nms_top_k", default: 100)
        op.keeps = try node.int("keep_top_k", default: 100)
        op.variances = try node.optionalFloats("vars") ?? [0.1, 0.1, 0.2, 0.2]
        return Meaning(op)
    }

    static func yolo(_ node: SourceNode) throws(Misfit) -> Meaning {
        func list(_ name: String) throws(Misfit) -> [Float] {
            guard let numbers = try node.optionalFloats(name) else { throw .missing("attribute \(name)") }
            return numbers
        }
        let op = YoloDetection(
            classes: try node.int("num_class"), anchors: try node.int("num_box"),
            leastScore: try node.float("confidence_threshold", default: 0.01),
            threshold: try node.float("nms_threshold", default: 0.45), sizes: try list("biases"),
            choice: try list("mask").map { Int(saturating: Double($0)) }, scales: try list("anchors_scale"))
        return Meaning(op)
    }

    static func classes(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("num_classes")
        var op = ClassDetections()
        op.leastScore = try node.float("score_threshold", default: 0.05)
        op.threshold = try node.float("nms_threshold", default: 0.5)
        op.growth = try node.float("max_delta_log_wh", default: greatestGrowth)
        op.best = try node.int("post_nms_count", default: 2000)
        op.keeps = try node.int("max_detections_per_image", default: 100)
        op.weights = try node.optionalFloats("deltas_weights") ?? [10, 10, 5, 5]
        if try node.bool("class_agnostic_box_regression", default: false) {
            throw .unsupported("ExperimentalDetectronDetectionOutput with one box for all classes")
        }
        return Meaning(op)
    }

    /// Scores, displacements, image and anchors: anchors are moved to no cell.
    static func openvinoProposals(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore(
            "spatial_scale", "angle_bound_on", "angle_bound_lo", "angle_bound_hi", "clip_angle_thresh")
        var op = RegionProposals(.counted)
        op.leastSize = try node.float("min_size", default: 1)
        op.threshold = try node.float("nms_thresh", default: 0.7)
        op.before = try node.int("pre_nms_topN", default: 6000)
        op.after = try node.int("post_nms_topN", default: 300)
        op.plus = try node.bool("legacy_plus_one", default: true) ? 1 : 0
        return Meaning(op)
    }

    static func oneImage(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = RegionProposals(.padded)
        op.leastSize = try node.float("min_size", default: 0)
        op.threshold = try node.float("nms_threshold", default: 0.7)
        op.before = try node.int("pre_nms_count", default: 1000)
        op.after = try node.int("post_nms_count", default: 1000)
        op.plus = 1
        return Meaning(op, order: [3, 2, 0, 1])
    }

    static func caffe2Proposals(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("angle_bound_on", "angle_bound_lo", "angle_bound_hi", "clip_angle_thresh")
        node.ignore("correct_transform_coords")
        var op = RegionProposals(.listed)
        let scale = try node.float("spatial_scale", default: 1 / 16)
        guard scale > 0 else {
            throw .attribute("spatial_scale", because: "is \(scale), expected more than 0")
        }
        op.stride = 1 / scale
        op.before = try node.int("pre_nms_topN", default: 6000)
        op.after = try node.int("post_nms_topN", default: 300)
        op.threshold = try node.float("nms_thresh", default: 0.7)
        op.leastSize = try node.float("min_size", default: 16)
        op.plus = try node.bool("legacy_plus_one", default: true) ? 1 : 0
        return Meaning(op)
    }

    static func collected(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("rpn_max_level", "rpn_min_level")
        // The operator reads post_nms_topN; exporters write rpn_post_nms_topN too.
        let written = try node.optionalInt("rpn_post_nms_topN")
        let limit = try node.int("post_nms_topN", default: written ?? 2000)
        return Meaning(BestRegions(limit: limit, isPadded: false))
    }

    static func distributed(_ node: SourceNode) throws(Misfit) -> Meaning {
        let op = RegionLevels(
            first: try node.int("roi_min_level", default: 2), last: try node.int("roi_max_level", default: 5),
            canonicalSize: Float(try node.int("roi_canonical_scale", default: 224)),
            canonicalLevel: try node.int("roi_canonical_level", default: 4),
            plus: try node.bool("legacy_plus_one", default: true) ? 1 : 0)
        return Meaning(op)
    }

    static func transform(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard try !node.bool("rotated", default: false) else {
            throw .unsupported("BBoxTransform of turned boxes")
        }
        node.ignore("angle_bound_on", "angle_bound_lo", "angle_bound_hi", "clip_angle_thresh")
        node.ignore("correct_transform_coords")
        let op = BoxTransform(
            weights: try node.optionalFloats("weights") ?? [1, 1, 1, 1],
            scales: try node.bool("apply_scale", default: true),
            plus: try node.bool("legacy_plus_one", default: true) ? 1 : 0)
        return Meaning(op)
    }

    static func limited(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = BoxLimit()
        op.leastScore = try node.float("score_thresh", default: 0.05)
        op.threshold = try node.float("nms", default: 0.3)
        op.keeps = try node.int("detections_per_im", default: 100)
        let method = try node.string("soft_nms_method", default: "linear")
        guard method == "linear" || method == "gaussian" else {
            throw .attribute("soft_nms_method", because: "is \(escaped(method)), expected linear or gaussian")
        }
        if try node.bool("soft_nms_enabled", default: false) {
            op.softness = method == "linear" ? .linear : .gaussian
        }
        op.sigma = try node.float("soft_nms_sigma", default: 0.5)
        op.leastSoftScore = try node.float("soft_nms_min_score_thres", default: 0.001)
        op.isRotated = try node.bool("rotated", default: false)
        op.sharesBoxes = try node.bool("cls_agnostic_bbox_reg", default: false)
        op.startsWithBackground = try node.bool("input_boxes_include_bg_cls", default: true)
        op.countsBackground = try node.bool("output_classes_include_bg_cls", default: true)
        op.plus = try node.bool("legacy_plus_one", default: true) ? 1 : 0
        return Meaning(op)
    }

    static func grid(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = PriorGrid()
        op.isFlat = try node.bool("flatten", default: true)
        op.height = try node.int("h", default: 0)
        op.width = try node.int("w", default: 0)
        op.stepX = try node.float("stride_x", default: 0)
        op.stepY = try node.float("stride_y", default: 0)
        return Meaning(op)
    }
}
