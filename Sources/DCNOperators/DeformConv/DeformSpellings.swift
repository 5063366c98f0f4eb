internal import DCNGraph

/// What the files' spellings of deformable convolution mean.
enum DeformSpellings {
    /// Names of plugins and of exporters' own operators; domains differ from file to file and say nothing.
    static let anywhere: [String: Dialect.Spelling] = {
        let fading: Dialect.Spelling = { (node) throws(Misfit) in try byShape(node) }
        let clamped: Dialect.Spelling = { (node) throws(Misfit) in try clamping(node) }
        let named: Dialect.Spelling = { (node) throws(Misfit) in try plugin(node) }
        var table: [String: Dialect.Spelling] = [:]
        for name in fadingNames { table[name] = fading }
        for name in clampingNames { table[name] = clamped }
        table["Plugin"] = named
        return table
    }()

    private static let fadingNames = [
        "DeformConv", "DeformConv2d", "DeformConv2D", "DeformableConv2D", "DeformableConv2d", "DCN", "DCNv2",
        "DCNv2_2",
        "_DCNv2", "ModulatedDeformConv", "ModulatedDeformConv2d", "MMCVDeformConv2d",
        "MMCVModulatedDeformConv2d",
        "deform_conv2d", "deform_conv", "modulated_deform_conv", "modulated_deform_conv2d", "deformable_conv",
        "deformable_conv_v1",
        "_contrib_ModulatedDeformableConvolution", "ModulatedDeformableConvolution",
        "_npx_modulated_deformable_convolution",
    ]

    private static let clampingNames = [
        "_contrib_DeformableConvolution", "DeformableConvolution", "_npx_deformable_convolution",
    ]

    /// Reads any of them: what an operand is follows from its shape, attributes go by many names.
    static func byShape(_ node: SourceNode) throws(Misfit) -> Meaning {
        if node.inputs.count == 14 { return try torchvision(node) }
        var op = DeformConv()
        op.window = try window(node)
        node.ignore(
            "im2col_step", "bias", "with_bias", "no_bias", "workspace", "layout", "num_filter", "name",
            "type", "in_channels",
            "out_channels", "plugin_version", "plugin_namespace", "data_format")
        let groups = try firstNumber(node, ["group", "groups", "num_group"])
        let offsetGroups = try firstNumber(
            node,
            [
                "deform_groups", "deformable_groups", "deformable_group", "deform_group", "offset_group",
                "offset_groups",
                "num_deformable_group",
            ])
        let roles = DeformRoles(node, window: op.window, groups: groups)
        op.groups = groups ?? roles.groups ?? 1
        op.offsetGroups = offsetGroups ?? roles.offsetGroups ?? 1
        return Meaning(op, order: roles.order)
    }

    /// The operator of the paper's own framework, which reads no further than the image's edge.
    static func clamping(_ node: SourceNode) throws(Misfit) -> Meaning {
        var meaning = try byShape(node)
        let fades = try node.bool("bilinear_interpolation_pad", default: false)
        if var op = meaning.op as? DeformConv {
            op.border = fades ? .zero : .clamp
            meaning.op = op
        }
        return meaning
    }

    /// torchvision's operator as the exporters leave it: steps, paddings and flags are inputs too.
    ///
    /// x, weight, offset, mask, bias, stride h w, pad h w, dilation h w, groups, offset_groups, use_mask.
    static func torchvision(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard node.inputs.count == 14 else { return try byShape(node) }
        var numbers: [Int] = []
        let names = [
            "stride_h", "stride_w", "pad_h", "pad_w", "dilation_h", "dilation_w", "groups", "offset_groups",
            "use_mask",
        ]
        for (index, name) in names.enumerated() {
            guard let values = try node.operands?.required(5 + index, name).integers, values.count == 1 else {
                throw .value(of: name, because: "is computed by the model, expected a constant")
            }
            numbers.append(values[0])
        }
        var op = DeformConv()
        op.window.strides = Array(numbers[0..<2])
        op.window.pads = Array(numbers[2..<4] + numbers[2..<4])
        op.window.dilations = Array(numbers[4..<6])
        op.groups = numbers[6]
        op.offsetGroups = numbers[7]
        return Meaning(op, order: [0, 1, 2, 4] + (numbers[8] != 0 ? [3] : []))
    }

    /// A node that says by an attribute which plugin it stands for.
    static func plugin(_ node: SourceNode) throws(Misfit) -> Meaning {
        for key in ["type", "plugin_type", "name", "plugin_name", "op_type", "op", "operator"] {
            guard case .string(let text)? = node.attributes[key], text.text != "Plugin" else { continue }
            let spelled = anywhere[text.text] ?? AggregateSpellings.anywhere[text.text]
            guard let spelling = spelled else { continue }
            _ = node.attribute(key)
            return try spelling(node)
        }
        throw .unsupported("a plugin whose attributes name none that is known here")
    }
}

extension DeformSpellings {
    /// Kernel steps by whatever names the file has.
    private static func window(_ node: SourceNode) throws(Misfit) -> Window {
        var window = Window()
        window.strides = try pair(node, ["stride", "strides"], ["stride"]) ?? []
        window.dilations = try pair(node, ["dilation", "dilations", "dilate"], ["dilation", "dil"]) ?? []
        if let both = try pair(node, [], ["padding", "pad"]) { window.pads = both + both }
        for name in ["padding", "pad", "pads", "paddings"] {
            guard let written = try node.numbers(name) else { continue }
            window.pads = try pads(written, name)
        }
        if let begin = try pair(node, ["pads_begin"], []), let end = try pair(node, ["pads_end"], []) {
            window.pads = begin + end
        }
        for name in ["kernel_shape", "kernel", "kernel_size"] {
            if let kernel = try node.numbers(name) {
                window.kernel = kernel.count == 1 ? kernel + kernel : kernel
            }
        }
        _ = try pair(node, [], ["kernel"]).map { window.kernel = $0 }
        if let auto = try node.optionalString("auto_pad"), !auto.isEmpty, auto != "explicit" {
            guard let known = Window.AutoPad(rawValue: auto.uppercased()) else {
                throw .attribute("auto_pad", because: "is '\(escaped(auto))'")
            }
            window.autoPad = known
        }
        return window
    }

    /// One number for both axes, (h, w), or four: `pads` in ONNX's order, `padding` with each value twice, `paddings`
    /// as top, bottom, left, right.
    private static func pads(_ written: [Int], _ name: String) throws(Misfit) -> [Int] {
        switch written.count {
        case 0: return []
        case 1: return Array(repeating: written[0], count: 4)
        case 2: return written + written
        case 4 where name == "pads": return written
        case 4 where name == "paddings": return [written[0], written[2], written[1], written[3]]
        case 4: return [written[0], written[2], written[0], written[2]]
        default: throw .attribute(name, because: "has \(written.count) numbers, expected 1, 2 or 4")
        }
    }

    /// Two numbers: a list, one for both, or one attribute for each axis ending in `_h` and `_w`.
    private static func pair(_ node: SourceNode, _ whole: [String], _ halves: [String]) throws(Misfit)
        -> [Int]?
    {
        for name in whole {
            guard let written = try node.numbers(name), !written.isEmpty else { continue }
            return written.count == 1 ? written + written : written
        }
        for name in halves {
            guard let h = try node.numbers(name + "_h")?.first, let w = try node.numbers(name + "_w")?.first
            else { continue }
            return [h, w]
        }
        return nil
    }

    private static func firstNumber(_ node: SourceNode, _ names: [String]) throws(Misfit) -> Int? {
        var found: Int?
        for name in names { if let number = try node.numbers(name)?.first { found = found ?? number } }
        return found
    }
}

extension SourceNode {
    /// Integers however they are written: one, a list, or as text such as `2` or `(3, 3)`.
    func numbers(_ name: String) throws(Misfit) -> [Int]? {
        guard case .string(let text)? = attributes[name] else { return try optionalInts(name) }
        _ = attribute(name)
        var numbers: [Int] = []
        for part in text.text.split(whereSeparator: { "()[], ".contains($0) }) {
            guard let number = Int(part) else {
                throw .attribute(name, because: "is '\(escaped(text.text))', expected integers")
            }
            numbers.append(number)
        }
        return numbers
    }
}
