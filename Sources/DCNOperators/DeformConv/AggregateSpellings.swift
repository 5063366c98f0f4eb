internal import DCNGraph

/// What the files' spellings of DCNv3 and DCNv4 mean.
enum AggregateSpellings {
    /// By name; domains say nothing.
    static let anywhere: [String: Dialect.Spelling] = {
        let apart: Dialect.Spelling = { (node) throws(Misfit) in try third(node) }
        let joint: Dialect.Spelling = { (node) throws(Misfit) in try fourth(node) }
        var table: [String: Dialect.Spelling] = [:]
        for name in ["TRTDCNv3", "DCNv3", "DCNv3Function"] { table[name] = apart }
        for name in ["TRTDCNv4", "DCNv4", "DCNv4Function"] { table[name] = joint }
        return table
    }()

    /// x, offset, mask: all with the channels last.
    static func third(_ node: SourceNode) throws(Misfit) -> Meaning {
        // Exporters hand both on to one name: three operands are the older form.
        guard node.inputs.count != 2 else { return try fourth(node) }
        return Meaning(try aggregate(node, numbersPerTap: 2))
    }

    /// x, and offsets and masks in one tensor.
    static func fourth(_ node: SourceNode) throws(Misfit) -> Meaning {
        guard node.inputs.count < 3 else { return try third(node) }
        var op = try aggregate(node, numbersPerTap: 3)
        op.isJoint = true
        return Meaning(op)
    }

    private static func aggregate(_ node: SourceNode, numbersPerTap: Int) throws(Misfit) -> DeformAggregate {
        node.ignore("im2col_step", "softmax", "name", "plugin_version", "plugin_namespace")
        var window = Window()
        window.kernel = try pair(node, "kernel", default: 3)
        window.strides = try pair(node, "stride", default: 1)
        window.dilations = try pair(node, "dilation", default: 1)
        let pads = try pair(node, "pad", default: 0)
        window.pads = pads + pads
        let groups = try node.int("group", default: 1)
        if let perGroup = try node.optionalInt("group_channels"), let operands = node.operands,
            let channels = try operands.required(0, "x").dimension(3).fixed
        {
            let (product, overflow) = groups.multipliedReportingOverflow(by: perGroup)
            guard !overflow, product == channels else {
                throw .attribute(
                    "group_channels",
                    because: "is \(perGroup), expected \(channels) channels ÷ \(groups) groups")
            }
        }
        return DeformAggregate(
            window: window, groups: groups, offsetScale: try node.float("offset_scale", default: 1),
            skipsCentre: try skipsCentre(node, window, groups, numbersPerTap))
    }

    /// Older files do not say whether the centre tap is there: then the channels do.
    private static func skipsCentre(
        _ node: SourceNode, _ window: Window, _ groups: Int, _ numbersPerTap: Int
    ) throws(Misfit) -> Bool {
        if node.has("remove_center") { return try node.bool("remove_center", default: false) }
        guard let operands = node.operands,
            let channels = try operands.required(1, "offset").dimension(3).fixed,
            window.kernel.allSatisfy({ (1..<1 << 12).contains($0) }), (1..<1 << 24).contains(groups)
        else { return false }
        let without = numbersPerTap * groups * (window.taps - 1)
        return numbersPerTap == 2 ? channels == without : channels < without + numbersPerTap * groups
    }

    private static func pair(_ node: SourceNode, _ name: String, default value: Int) throws(Misfit) -> [Int] {
        if let both = try node.numbers(name), !both.isEmpty { return both.count == 1 ? both + both : both }
        return [
            try node.numbers(name + "_h")?.first ?? value, try node.numbers(name + "_w")?.first ?? value,
        ]
    }
}
