internal import DCNGraph

extension Family {
    /// From what a detection network says to boxes: priors, regions, their choice.
    static let detections = Family(
        [
            PriorBox.self, PriorDetection.self, RegionProposals.self, ClassDetections.self, BoxLimit.self,
            HeatmapKeypoint.self, YoloDetection.self, PriorGrid.self, BestRegions.self, BoxTransform.self,
            RegionLevels.self,
        ],
        [
            "org.openvinotoolkit": [
                "PriorBox": PriorSpellings.openvino, "PriorBoxClustered": PriorSpellings.clustered,
                "DetectionOutput": DetectionSpellings.openvino,
                "GenerateProposals": DetectionSpellings.openvinoProposals,
                "ExperimentalDetectronDetectionOutput": DetectionSpellings.classes,
                "ExperimentalDetectronGenerateProposalsSingleImage": DetectionSpellings.oneImage,
                "ExperimentalDetectronPriorGridGenerator": DetectionSpellings.grid,
                "ExperimentalDetectronTopKROIs": { (node) throws(Misfit) in
                    Meaning(BestRegions(limit: try node.int("max_rois", default: 1000), isPadded: true))
                },
            ],
            "org.pytorch._caffe2": [
                "GenerateProposals": DetectionSpellings.caffe2Proposals,
                "GenerateProposalsCPP": DetectionSpellings.caffe2Proposals,
                "CollectRpnProposals": DetectionSpellings.collected,
                "DistributeFpnProposals": DetectionSpellings.distributed,
                "BBoxTransform": DetectionSpellings.transform, "BoxWithNMSLimit": DetectionSpellings.limited,
                "HeatmapMaxKeypoint": { (node) throws(Misfit) in
                    Meaning(
                        HeatmapKeypoint(givesShares: try node.bool("should_output_softmax", default: false)))
                },
            ],
            "mmdeploy": [
                "PriorBox": PriorSpellings.ncnn, "DetectionOutput": DetectionSpellings.ncnn,
                "Yolov3DetectionOutput": DetectionSpellings.yolo,
            ],
        ],
        anywhere: ["NMS_TRT": DetectionSpellings.tensorRT, "NMSDynamic_TRT": DetectionSpellings.tensorRT])
}
