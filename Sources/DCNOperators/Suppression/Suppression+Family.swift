internal import DCNGraph

extension Family {
    /// Choosing among overlapping boxes.
    static let suppressions = Family(
        [
            NonMaxSuppression.self, BoxSuppression.self, SoftSuppression.self, SuppressionMatch.self,
            RotatedSuppression.self, BatchedSuppression.self, Proposal.self, AnchorProposal.self,
            ListSuppression.self, RankedSuppression.self, TableSuppression.self,
        ],
        [
            "": ["NonMaxSuppression": onnxSuppression],
            "mmcv": ["NonMaxSuppression": mmcvSuppression, "SoftNonMaxSuppression": soft],
            "mmdeploy": [
                "NMSRotated": rotated, "NMSMatch": { (_) throws(Misfit) in Meaning(SuppressionMatch()) },
                "SoftNonMaxSuppression": soft,
                "TRTBatchedNMS": { (node) throws(Misfit) in try batched(node, isRotated: false) },
                "TRTBatchedRotatedNMS": { (node) throws(Misfit) in try batched(node, isRotated: true) },
            ],
            "org.apache.mxnet": [
                "Proposal": proposal, "_contrib_Proposal": proposal, "_contrib_MultiProposal": proposal,
                "box_nms": list, "_contrib_box_nms": list, "_contrib_box_non_maximum_suppression": list,
                "_npx_box_nms": list,
            ],
            "org.openvinotoolkit": ["Proposal": anchors],
            "torchvision": ["nms": torchvision],
        ], anywhere: SuppressionPlugins.spellings)

    private static func onnxSuppression(_ node: SourceNode) throws(Misfit) -> Meaning {
        Meaning(NonMaxSuppression(isCentred: try node.bool("center_point_box", default: false)))
    }

    private static func mmcvSuppression(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard node.inputs.count <= 2 else {
            throw .unsupported(
                "mmcv::NonMaxSuppression with \(node.inputs.count) inputs, expected boxes and scores")
        }
        let plus = try node.int("offset", default: 0)
        guard plus == 0 || plus == 1 else {
            throw .attribute("offset", because: "is \(plus), expected 0 or 1")
        }
        if node.has("max_output_boxes_per_class") || node.has("center_point_box") {
            return Meaning(
                TableSuppression(
                    isCentred: try node.bool("center_point_box", default: false),
                    limit: try node.int("max_output_boxes_per_class", default: 0),
                    threshold: try node.float("iou_threshold", default: 0),
                    leastScore: try node.float("score_threshold", default: 0), plus: plus))
        }
        return Meaning(BoxSuppression(threshold: try node.float("iou_threshold", default: 0.5), plus: plus))
    }

    private static func soft(_ node: SourceNode) throws(Misfit) -> Meaning {
        let code = try node.int("method", default: 1)
        guard let method = SoftSuppression.Method(rawValue: code) else {
            throw .attribute("method", because: "is \(code), expected 0, 1 or 2")
        }
        let plus = try node.int("offset", default: 0)
        guard plus == 0 || plus == 1 else {
            throw .attribute("offset", because: "is \(plus), expected 0 or 1")
        }
        let op = SoftSuppression(
            method: method, threshold: try node.float("iou_threshold", default: 0.3),
            sigma: try node.float("sigma", default: 0.5),
            leastScore: try node.float("min_score", default: 0.001), plus: plus)
        return Meaning(op)
    }

    private static func rotated(_ node: SourceNode) throws(Misfit) -> Meaning {
        let op = RotatedSuppression(
            threshold: try node.float("iou_threshold", default: 0.5),
            leastScore: try node.float("score_threshold", default: 0))
        return Meaning(op)
    }

    private static func batched(_ node: SourceNode, isRotated: Bool) throws(Misfit) -> Meaning {
        node.ignore("num_classes", "is_normalized", "return_index")
        let op = BatchedSuppression(
            isRotated: isRotated, background: try node.int("background_label_id", default: -1),
            threshold: try node.float("iou_threshold", default: 0.5),
            leastScore: try node.float("score_threshold", default: 0),
            best: try node.int("topk", default: -1),
            keeps: try node.int("keep_topk"), clips: try node.bool("clip_boxes", default: false))
        return Meaning(op)
    }

    private static func proposal(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = Proposal()
        op.stride = try node.whole("feature_stride", default: 16)
        op.scales = try node.reals("scales") ?? [4, 8, 16, 32]
        op.ratios = try node.reals("ratios") ?? [0.5, 1, 2]
        op.before = try node.whole("rpn_pre_nms_top_n", default: 6000)
        op.after = try node.whole("rpn_post_nms_top_n", default: 300)
        op.threshold = try node.real("threshold", default: 0.7)
        op.leastSize = try node.real("rpn_min_size", default: 16)
        op.addsToCorners = try node.flag("iou_loss")
        op.isBatched = node.opType == "_contrib_MultiProposal"
        node.ignore("output_score")
        return Meaning(op)
    }

    private static func anchors(_ node: SourceNode) throws(Misfit) -> Meaning {
        let framework = try node.string("framework", default: "")
        guard framework.isEmpty else {
            throw .unsupported("Proposal with the numbers of the framework \(escaped(framework))")
        }
        var op = AnchorProposal()
        op.baseSize = try node.int("base_size")
        op.stride = try node.int("feat_stride")
        op.before = try node.int("pre_nms_topn")
        op.after = try node.int("post_nms_topn")
        op.threshold = try node.float("nms_thresh", default: 0.7)
        op.leastSize = try node.real("min_size", default: 1)
        guard let ratios = try node.optionalFloats("ratio") else { throw .missing("attribute ratio") }
        guard let scales = try node.optionalFloats("scale") else { throw .missing("attribute scale") }
        (op.ratios, op.scales) = (ratios, scales)
        op.clipsBefore = try node.bool("clip_before_nms", default: true)
        op.clipsAfter = try node.bool("clip_after_nms", default: false)
        op.normalises = try node.bool("normalize", default: false)
        op.sizeScale = try node.float("box_size_scale", default: 1)
        op.coordinateScale = try node.float("box_coordinate_scale", default: 1)
        node.ignore("for_deformable")
        return Meaning(op)
    }

    private static func list(_ node: SourceNode) throws(Misfit) -> Meaning {
        func number(_ name: String, _ value: Int) throws(Misfit) -> Int {
            try node.numbers(name)?.first ?? value
        }
        func isCentred(_ name: String) throws(Misfit) -> Bool {
            let format = try node.string(name, default: "corner")
            guard format == "corner" || format == "center" else {
                throw .attribute(name, because: "is \(escaped(format)), expected corner or center")
            }
            return format == "center"
        }
        var op = ListSuppression()
        op.threshold = try node.real("overlap_thresh", default: 0.5)
        op.leastScore = try node.real("valid_thresh", default: 0)
        op.best = try number("topk", -1)
        op.boxColumn = try number("coord_start", 2)
        op.scoreColumn = try number("score_index", 1)
        op.classColumn = try number("id_index", -1)
        op.background = try number("background_id", -1)
        op.acrossClasses = try node.flag("force_suppress")
        op.isCentred = try isCentred("in_format")
        op.givesCentred = try isCentred("out_format")
        return Meaning(op, visible: 1)
    }

    /// boxes, scores, and the overlap as a constant.
    private static func torchvision(_ node: SourceNode) throws(Misfit) -> Meaning {
        if let threshold = try node.optionalFloat("iou_threshold") {
            return Meaning(BoxSuppression(threshold: threshold), order: [0, 1])
        }
        guard let tensor = node.operands?.constant(2) else {
            throw .missing("attribute iou_threshold, or a constant as operand 2")
        }
        let threshold =
            tensor.type.element == .float64
            ? tensor.elements(as: Double.self).first.map { Float($0) } : tensor.elements(as: Float.self).first
        guard let threshold else { throw .missing("attribute iou_threshold, or a constant as operand 2") }
        return Meaning(BoxSuppression(threshold: threshold), order: [0, 1])
    }
}
