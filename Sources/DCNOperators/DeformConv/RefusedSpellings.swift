internal import DCNGraph

/// Operators that are known by name and not run, with what to do about each.
enum RefusedSpellings {
    /// By name; domains say nothing.
    static let anywhere: [String: Dialect.Spelling] = {
        var table: [String: Dialect.Spelling] = [:]
        for (names, advice) in advices {
            for name in names { table[name] = refusing(advice) }
        }
        return table
    }()

    private static func refusing(_ advice: String) -> Dialect.Spelling {
        let spelling: Dialect.Spelling = { (_) throws(Misfit) in throw .unsupported(advice) }
        return spelling
    }

    private static let advices: [([String], String)] = [
        (
            ["PythonOp", "ATen", "aten"],
            "a function of the training framework that was written without its parameters: give it a symbolic function and export again"
        ),
        (
            ["MMCVSigmoidFocalLoss", "MMCVSoftmaxFocalLoss", "SigmoidFocalLoss", "SoftmaxFocalLoss"],
            "a training loss: export the model in evaluation mode, with its detections as outputs"
        ),
        (
            ["coreml_nms"],
            "Core ML's suppression of boxes: export for ONNX Runtime, which writes NonMaxSuppression"
        ),
        (
            ["MMCVCAWeight", "MMCVCAMap"],
            "criss-cross attention: replace it by matrix products and Softmax before exporting"
        ),
        (
            ["EfficientNMS_TRT", "BatchedNMS_TRT", "BatchedNMSDynamic_TRT", "NMS_TRT", "NMSDynamic_TRT"],
            "a TensorRT plugin: export without it (plugin-free NMS is NonMaxSuppression), or stop before it with --outputs"
        ),
        (
            [
                "Yolov3DetectionOutput", "BatchMultiClassNMS", "DetectionOutput",
                "ExperimentalDetectronDetectionOutput", "BoxWithNMSLimit", "HeatmapMaxKeypoint",
            ],
            "the last step of another runtime: stop before it with --outputs and suppress boxes afterwards"
        ),
        (
            [
                "GenerateProposals", "CollectRpnProposals", "DistributeFpnProposals", "BBoxTransform",
                "ExperimentalDetectronGenerateProposalsSingleImage",
                "ExperimentalDetectronPriorGridGenerator",
                "ExperimentalDetectronTopKROIs",
            ],
            "a step of region proposals of another runtime: export the model for ONNX Runtime, which writes it in standard operators"
        ),
        (
            ["PriorBox", "PriorBoxClustered"],
            "a constant of another runtime that follows from shapes: compute it before exporting"
        ),
        (
            ["MultiHeadAttention"],
            "attention in the form of another runtime: export MatMul and Softmax, or the standard's Attention"
        ),
        (
            ["TRTEngineOp", "EPContext"],
            "a compiled engine of another runtime: only the model it was built from can be read"
        ),
    ]
}
