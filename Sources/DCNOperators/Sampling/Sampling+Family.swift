internal import DCNGraph

extension Family {
    /// Sampling of images at computed points.
    static let sampling = Family(
        [
            GridSample.self, AffineGrid.self, DeformableAttention.self, ReferencedAttention.self,
            RotatedFeatureAlign.self, BorderAlign.self, Carafe.self, MaskedConv.self,
        ],
        [
            "": [
                "GridSample": gridSample,
                "AffineGrid": { (node) throws(Misfit) in
                    Meaning(AffineGrid(alignsCorners: try node.bool("align_corners", default: false)))
                },
            ],
            "com.microsoft": ["GridSample": gridSample],
            "mmcv": others, "mmdeploy": others,
        ],
        anywhere: [
            "MultiScaleDeformableAttnTRT": referencedAttention,
            "MultiScaleDeformableAttnTRT2": referencedAttention,
        ],
        early: ["GridSample": codedSample])

    private static let others: [String: Dialect.Spelling] = [
        "grid_sampler": coded,
        "MMCVMultiScaleDeformableAttention": { (node) throws(Misfit) in
            node.ignore("im2col_step")
            return Meaning(DeformableAttention())
        },
        "MMCVRotatedFeatureAlign": { (node) throws(Misfit) in
            Meaning(
                RotatedFeatureAlign(
                    scale: try node.float("spatial_scale", default: 1),
                    points: try node.int("points", default: 1)))
        },
        "MMCVBorderAlign": { (node) throws(Misfit) in
            Meaning(BorderAlign(poolSize: try node.int("pool_size")))
        },
        "MMCVMaskedConv2d": maskedConvolution, "MMCVCARAFE": carafe, "MMCVCARAFENaive": carafe,
    ]

    /// BEVFormer's plugins, the second of which computes pairs of half floats.
    private static func referencedAttention(_ node: SourceNode) throws(Misfit) -> Meaning {
        node.ignore("plugin_version", "plugin_namespace")
        return Meaning(ReferencedAttention())
    }

    private static func gridSample(_ node: SourceNode) throws(Misfit) -> Meaning {
        let interpolation: GridSample.Interpolation
        switch try node.string("mode", default: "linear") {
        case "linear", "bilinear": interpolation = .linear
        case "nearest": interpolation = .nearest
        case "cubic", "bicubic": interpolation = .cubic
        case let other:
            throw .attribute("mode", because: "is \(escaped(other)), expected linear, nearest or cubic")
        }
        let outside: GridSample.Outside
        switch try node.string("padding_mode", default: "zeros") {
        case "zeros": outside = .zeros
        case "border": outside = .border
        case "reflection": outside = .reflection
        case let other:
            throw .attribute(
                "padding_mode", because: "is \(escaped(other)), expected zeros, border or reflection")
        }
        return Meaning(
            GridSample(
                interpolation, outside: outside, alignsCorners: try node.bool("align_corners", default: false)
            ))
    }

    private static func coded(_ node: SourceNode) throws(Misfit) -> Meaning {
        try coded(node, mode: "interpolation_mode", edge: "padding_mode", corners: "align_corners")
    }

    /// A node whose attributes have these names and are PyTorch's codes.
    private static func coded(
        _ node: SourceNode, mode modeName: String, edge edgeName: String, corners: String
    ) throws(Misfit) -> Meaning {
        let (mode, edge) = (try node.int(modeName, default: 0), try node.int(edgeName, default: 0))
        guard let interpolation = GridSample.Interpolation(rawValue: mode) else {
            throw .attribute(modeName, because: "is \(mode), expected 0, 1 or 2")
        }
        guard let outside = GridSample.Outside(rawValue: edge) else {
            throw .attribute(edgeName, because: "is \(edge), expected 0, 1 or 2")
        }
        return Meaning(
            GridSample(
                interpolation, outside: outside, alignsCorners: try node.bool(corners, default: false)))
    }

    /// What symbolic functions for a plugin of TensorRT wrote before the standard had the operator: codes for modes.
    private static func codedSample(_ node: SourceNode) throws(Misfit) -> Meaning {
        if case .int? = node.attributes["interpolationmode"] {
            return try coded(node, mode: "interpolationmode", edge: "paddingmode", corners: "aligncorners")
        }
        guard case .int? = node.attributes["mode"] else { throw notYet(node, 16) }
        return try coded(node, mode: "mode", edge: "padding_mode", corners: "align_corners")
    }

    private static func maskedConvolution(_ node: SourceNode) throws(Misfit) -> Meaning {
        let (pads, strides) = (try node.ints("padding", default: [0]), try node.ints("stride", default: [1]))
        guard (1...2).contains(pads.count), (1...2).contains(strides.count) else {
            throw .attribute("padding", because: "and stride have to be one or two numbers")
        }
        let op = MaskedConv(
            padding: pads.count == 2 ? pads : [pads[0], pads[0]],
            strides: strides.count == 2 ? strides : [strides[0], strides[0]])
        return Meaning(op)
    }

    private static func carafe(_ node: SourceNode) throws(Misfit) -> Meaning {
        let factor = try node.float("scale_factor", default: 1)
        guard factor >= 1, factor == factor.rounded(), factor <= 64 else {
            throw .attribute("scale_factor", because: "is \(factor), expected a whole number from 1 to 64")
        }
        return Meaning(
            Carafe(
                kernel: try node.int("kernel_size"), groups: try node.int("group_size", default: 1),
                factor: Int(factor)))
    }
}
