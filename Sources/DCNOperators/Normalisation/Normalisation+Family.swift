internal import DCNGraph

extension Family {
    /// Normalisations by statistics.
    static let normalisations = Family(
        [
            BatchNormalization.self, GroupNormalization.self, LayerNormalization.self,
            SkipLayerNormalization.self,
            LocalResponseNormalization.self, L2Normalization.self,
        ],
        [
            "": [
                "BatchNormalization": batch, "InstanceNormalization": instance, "GroupNormalization": group,
                "LayerNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: false) },
                "RMSNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: true) },
                "SimplifiedLayerNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: true)
                },
                "LRN": localResponse,
            ],
            "com.microsoft": [
                "SkipLayerNormalization": skip, "SkipSimplifiedLayerNormalization": simplifiedSkip,
                "LayerNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: false) },
                "SimplifiedLayerNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: true)
                },
            ],
            "mmdeploy": [
                "TRTInstanceNormalization": instance, "MMCVInstanceNormalization": instance,
                "LayerNorm": trailingLayer, "layer_norm": trailingLayer,
            ],
            "org.openvinotoolkit": [
                "Normalize": { (node) throws(Misfit) in
                    let op = L2Normalization(
                        epsilon: try node.float("eps", default: 0),
                        acrossPlane: try node.bool("across_spatial", default: false),
                        sharesWeight: try node.bool("channel_shared", default: false))
                    return Meaning(op)
                },
                "GroupNorm": { (node) throws(Misfit) in
                    Meaning(
                        GroupNormalization(
                            groups: try node.int("num_groups"), epsilon: try node.float("eps", default: 1e-5))
                    )
                },
            ],
            "mmcv": ["MMCVInstanceNormalization": instance, "MMCVSyncBatchNorm": synchronised],
        ],
        // onnxruntime's optimiser writes it, whatever the version of the model.
        early: ["LayerNormalization": { (node) throws(Misfit) in try layer(node, isSimplified: false) }])

    private static func batch(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = BatchNormalization(
            epsilon: try node.float("epsilon", default: 1e-5),
            momentum: try node.float("momentum", default: 0.9))
        if node.version >= 14 {
            op.isTraining = try node.bool("training_mode", default: false)
        } else {
            if node.version < 7 {
                node.ignore("consumed_inputs")
                guard try node.bool("is_test", default: false) else {
                    throw .unsupported("training by BatchNormalization of version \(node.version)")
                }
            }
            if node.version < 9 { op.isSpatial = try node.bool("spatial", default: true) }
            guard node.outputs.dropFirst().allSatisfy(\.isEmpty) else {
                throw .unsupported("training by BatchNormalization of version \(node.version)")
            }
        }
        return Meaning(op)
    }

    private static func synchronised(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("momentum", "group", "group_size", "group_rank", "stats_mode")
        let op = BatchNormalization(epsilon: try node.float("eps", default: 1e-5))
        return Meaning(op, order: [0, 3, 4, 1, 2])
    }

    private static func instance(_ node: SourceNode) throws(Misfit) -> Meaning {
        Meaning(GroupNormalization(groups: nil, epsilon: try node.float("epsilon", default: 1e-5)))
    }

    private static func group(_ node: SourceNode) throws(Misfit) -> Meaning {
        if node.version >= 21 { node.ignore("stash_type") }
        let op = GroupNormalization(
            groups: try node.int("num_groups"), epsilon: try node.float("epsilon", default: 1e-5),
            hasGroupScales: node.version < 21)
        return Meaning(op)
    }

    private static func layer(_ node: SourceNode, isSimplified: Bool) throws(Misfit) -> Meaning {
        let stash = try node.int("stash_type", default: 1)
        guard let statistics = ElementType(rawValue: stash), statistics.isFloat else {
            throw .attribute("stash_type", because: "is \(stash), which is no float type")
        }
        let op = LayerNormalization(
            axis: try node.int("axis", default: -1), epsilon: try node.float("epsilon", default: 1e-5),
            isSimplified: isSimplified, statistics: statistics)
        return Meaning(op)
    }

    private static func trailingLayer(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("affine")
        let rank = node.operands?.types.count ?? 0 > 1 ? node.operands?.types[1]?.tensor?.shape?.rank : nil
        let op = LayerNormalization(axis: -(rank ?? 1), epsilon: try node.float("epsilon", default: 1e-5))
        return Meaning(op)
    }

    private static func skip(_ node: SourceNode) throws(Misfit) -> Meaning {
        Meaning(SkipLayerNormalization(epsilon: try node.float("epsilon", default: 1e-12)))
    }

    private static func simplifiedSkip(_ node: SourceNode) throws(Misfit) -> Meaning {
        let op = SkipLayerNormalization(
            epsilon: try node.float("epsilon", default: 1e-12), isSimplified: true)
        return Meaning(op, order: [0, 1, 2, nil, node.inputs.count > 3 ? 3 : nil])
    }

    private static func localResponse(_ node: SourceNode) throws(Misfit) -> Meaning {
        let op = LocalResponseNormalization(
            size: try node.int("size"), alpha: try node.float("alpha", default: 0.0001),
            beta: try node.float("beta", default: 0.75), bias: try node.float("bias", default: 1))
        return Meaning(op)
    }
}
