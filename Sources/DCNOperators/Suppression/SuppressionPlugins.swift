internal import DCNGraph

/// TensorRT's plugins that choose boxes; files have them in any domain.
enum SuppressionPlugins {
    static let spellings: [String: Dialect.Spelling] = [
        "EfficientNMS_TRT": ranked, "EfficientNMS_ONNX_TRT": places, "BatchedNMS_TRT": batched,
        "BatchedNMSDynamic_TRT": batched,
    ]

    private static func ranked(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace")
        var op = RankedSuppression()
        op.leastScore = try node.float("score_threshold", default: 0.5)
        op.threshold = try node.float("iou_threshold", default: 0.5)
        op.keeps = try node.int("max_output_boxes", default: 100)
        op.background = try node.int("background_class", default: -1)
        op.hasLogits = try node.bool("score_activation", default: false)
        op.acrossClasses = try node.bool("class_agnostic", default: false)
        op.isCentred = try isCentred(node, "box_coding")
        return Meaning(op)
    }

    private static func places(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace")
        var op = RankedSuppression()
        op.leastScore = try node.float("score_threshold", default: 0.5)
        op.threshold = try node.float("iou_threshold", default: 0.5)
        op.keeps = try node.int("max_output_boxes_per_class")
        op.isCentred = try isCentred(node, "center_point_box")
        op.givesIndices = true
        return Meaning(op)
    }

    private static func isCentred(_ node: SourceNode, _ name: String) throws(Misfit) -> Bool {
        let code = try node.int(name, default: 0)
        guard code == 0 || code == 1 else {
            throw .attribute(name, because: "is \(code), expected 0 or 1")
        }
        return code == 1
    }

    private static func batched(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace", "numClasses", "shareLocation", "scoreBits")
        let (best, keeps) = (try node.int("topK"), try node.int("keepTopK"))
        guard best >= keeps else {
            throw .attribute("keepTopK", because: "is \(keeps), expected at most topK = \(best)")
        }
        var op = BatchedSuppression(
            isRotated: false, background: try node.int("backgroundLabelId", default: -1),
            threshold: try node.float("iouThreshold"), leastScore: try node.float("scoreThreshold"),
            best: best, keeps: keeps, clips: try node.bool("clipBoxes", default: true))
        op.isCounted = true
        if try !node.bool("isNormalized", default: true) {
            op.areaPlus = 1
            op.plus = try node.bool("caffeSemantics", default: true) ? 1 : 0
        } else {
            node.ignore("caffeSemantics")
        }
        return Meaning(op)
    }
}
