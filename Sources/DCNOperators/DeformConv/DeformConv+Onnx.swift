internal import DCNGraph

extension DeformConv {
    /// Reads ONNX's DeformConv of versions 19 and 22, which differ in element types only.
    init(onnx node: SourceNode) throws(Misfit) {
        guard node.version >= 19 else {
            throw .unsupported("DeformConv exists from operator set 19 on, the file says \(node.version)")
        }
        window = try Window(onnx: node)
        groups = try node.int("group", default: 1)
        offsetGroups = try node.int("offset_group", default: 1)
        try repairOffsetGroups(node)
    }

    /// Some exporters never write the number of offset groups: where the default can't be, the channels say it.
    private mutating func repairOffsetGroups(_ node: SourceNode) throws(Misfit) {
        guard !node.has("offset_group"), let operands = node.operands,
            let kernel = try operands.required(1, "weight").shape?.fixed, kernel.count == 4,
            let channels = try operands.required(2, "offset").dimension(1).fixed
        else { return }
        let perGroup = 2 * kernel[2] * kernel[3]
        if perGroup > 0, channels % perGroup == 0, channels > perGroup { offsetGroups = channels / perGroup }
    }
}
