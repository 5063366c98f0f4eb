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
            ["EfficientNMS_Implicit_TF_TRT", "EfficientNMS_Explicit_TF_TRT", "BatchTilePlugin_TRT"],
            "a TensorRT plugin for converted TensorFlow graphs: convert without it (plugin-free NMS is NonMaxSuppression), or stop before it with --outputs"
        ),
        (
            [
                "PyramidROIAlign_TRT", "MultilevelCropAndResize_TRT", "CropAndResize", "CropAndResizePlugin",
                "MultilevelProposeROI_TRT", "ProposalLayer_TRT", "DetectionLayer_TRT", "SpecialSlice_TRT",
                "GenerateDetection_TRT", "ProposalDynamic", "RPROI_TRT",
            ],
            "a step of TensorRT's own Mask R-CNN or Faster R-CNN sample, whose numbers hang on constants inside the plugin: export for ONNX Runtime, which writes RoiAlign and NonMaxSuppression"
        ),
        (
            ["BatchMultiClassNMS"],
            "an Ascend operator whose border cases are not public: export for ONNX Runtime, which writes NonMaxSuppression"
        ),
        (
            ["EfficientNMSRotated_TRT", "RotatedNMS_TRT", "EfficientNMSLandmark_TRT", "EfficientIdxNMS_TRT"],
            "a TensorRT plugin that others derived, of which there are several: stop before it with --outputs, or export NMSRotated for mmdeploy"
        ),
        (
            ["TRTEngineOp", "EPContext"],
            "a compiled engine of another runtime: only the model it was built from can be read"
        ),
    ]
}
