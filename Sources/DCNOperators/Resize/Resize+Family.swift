internal import DCNGraph

extension Family {
    /// Stretching tensors.
    static let resizing = Family(
        [Resize.self],
        [
            "": ["Resize": resize, "Upsample": upsample],
            "mmdeploy": ["TRTBicubicInterpolate": bicubic],
            "org.pytorch._caffe2": ["ResizeNearest": caffe2Nearest],
        ])

    private static func choice<T: RawRepresentable>(
        _ node: SourceNode, _ name: String, default value: T, _ allowed: [T]
    ) throws(Misfit) -> T where T.RawValue == String {
        guard let text = try node.optionalString(name) else { return value }
        guard let choice = allowed.first(where: { $0.rawValue == text }) else {
            let names = allowed.map(\.rawValue).joined(separator: ", ")
            throw .attribute(name, because: "is \(escaped(text)), expected one of \(names)")
        }
        return choice
    }

    private static func interpolation(_ node: SourceNode) throws(Misfit) -> Resize.Interpolation {
        switch try node.string("mode", default: "nearest") {
        case "nearest": .nearest
        case "linear", "bilinear", "trilinear": .linear
        case "cubic" where node.opType == "Resize" && node.version >= 11: .cubic
        case let other:
            throw .attribute("mode", because: "is \(escaped(other)), expected nearest, linear or cubic")
        }
    }

    private static func resize(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard node.version >= 11 else { return try upsample(node) }
        var op = Resize(try interpolation(node))
        let isOld = node.version < 13
        op.coordinates = try choice(
            node, "coordinate_transformation_mode", default: .halfPixel,
            Resize.Coordinates.allCases.filter {
                $0 == .tensorflowHalfPixel ? isOld : $0 == .halfPixelSymmetric ? node.version >= 19 : true
            })
        op.rounding = try choice(
            node, "nearest_mode", default: .preferFloor, Resize.Rounding.allCases.filter { $0 != .simple })
        op.cubicCoefficient = try node.float("cubic_coeff_a", default: -0.75)
        op.excludesOutside = try node.bool("exclude_outside", default: false)
        op.extrapolation = try node.float("extrapolation_value", default: 0)
        if node.version >= 18 {
            op.antialiases = try node.bool("antialias", default: false)
            op.axes = try node.optionalInts("axes")
            op.policy = try choice(
                node, "keep_aspect_ratio_policy", default: .stretch, Resize.AspectPolicy.allCases)
        }
        return Meaning(op)
    }

    private static func upsample(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = Resize(try interpolation(node))
        op.coordinates = .asymmetric
        op.rounding = .simple
        guard node.opType == "Upsample", node.version < 9 else { return Meaning(op, order: [0, nil, 1]) }
        guard let scales = try node.optionalFloats("scales") else { throw .missing("attribute scales") }
        return Meaning(op, order: [0, nil], extra: [Tensor(vector: scales)])
    }

    private static func bicubic(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = Resize(.cubic)
        op.coordinates = try node.bool("align_corners", default: false) ? .alignCorners : .halfPixel
        op.axes = [2, 3]
        guard let scales = try node.optionalFloats("scale_factor") else {
            throw .missing("attribute scale_factor")
        }
        guard scales.count == 1 || scales.count == 2 else {
            throw .attribute("scale_factor", because: "has \(scales.count) entries, expected 1 or 2")
        }
        return Meaning(
            op, order: [0, nil], extra: [Tensor(vector: scales.count == 2 ? scales : [scales[0], scales[0]])])
    }

    /// Scales of height and width, as attributes or as an operand of both.
    private static func caffe2Nearest(_ node: SourceNode) throws(Misfit) -> Meaning {
        var op = Resize(.nearest)
        op.coordinates = .asymmetric
        op.rounding = .floor
        let order = try node.string("order", default: "NCHW")
        guard order == "NCHW" || order == "NHWC" else {
            throw .attribute("order", because: "is \(escaped(order)), expected NCHW or NHWC")
        }
        op.axes = order == "NCHW" ? [2, 3] : [1, 2]
        let scales = [
            try node.float("height_scale", default: 1), try node.float("width_scale", default: 1),
        ]
        guard node.inputs.count < 2 else { return Meaning(op, order: [0, nil, 1]) }
        return Meaning(op, order: [0, nil], extra: [Tensor(vector: scales)])
    }
}
