internal import DCNGraph

extension RegionSpellings {
    /// MXNet's operators, with the names of both its generations; numbers may be written as text.
    static let mxnet: [String: Dialect.Spelling] = {
        var table: [String: Dialect.Spelling] = [:]
        for (names, spelling) in spellings { for name in names { table[name] = spelling } }
        return table
    }()

    private static let spellings: [([String], Dialect.Spelling)] = [
        (["PSROIPooling", "_contrib_PSROIPooling"], positionPool),
        (["DeformablePSROIPooling", "_contrib_DeformablePSROIPooling"], deformablePosition),
        (["ROIPooling", "_npx_roi_pooling"], maximumPool),
        (["ROIAlign", "_contrib_ROIAlign", "_npx_roi_align"], align),
        (["RROIAlign", "_contrib_RROIAlign"], turnedAlign),
    ]

    private static func bins(_ node: SourceNode, ratio: String?) throws(Misfit) -> RegionBins {
        guard let size = try node.numbers("pooled_size") else { throw .missing("attribute pooled_size") }
        guard size.count == 2 else {
            throw .attribute("pooled_size", because: "has \(size.count) numbers, expected 2")
        }
        return RegionBins(
            height: size[0], width: size[1], scale: try node.real("spatial_scale", default: 1),
            samplingRatio: try ratio.flatMap { (name) throws(Misfit) in try node.numbers(name)?.first } ?? 0)
    }

    private static func maximumPool(_ node: SourceNode) throws(Misfit) -> Meaning {
        Meaning(MaxRoiPool(try bins(node, ratio: nil)), visible: 1)
    }

    private static func align(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = try bins(node, ratio: "sample_ratio")
        let isAligned = try node.flag("aligned")
        (bins.offset, bins.minimum) = isAligned ? (0.5, nil) : (0, 1)
        var op = RoiAlign(bins)
        op.isPositionSensitive = try node.flag("position_sensitive")
        return Meaning(op)
    }

    private static func turnedAlign(_ node: SourceNode) throws(Misfit) -> Meaning {
        var bins = try bins(node, ratio: "sampling_ratio")
        bins.minimum = 1
        var op = RoiAlign(bins)
        op.angleScale = .pi / 180
        return Meaning(op)
    }
}

extension SourceNode {
    /// A number that may be written as text.
    func real(_ name: String, default value: Float) throws(Misfit) -> Float {
        guard case .string(let text)? = attributes[name] else { return try float(name, default: value) }
        _ = attribute(name)
        guard let number = Float(text.text) else {
            throw .attribute(name, because: "is '\(escaped(text.text))', expected a number")
        }
        return number
    }

    /// A whole number that may be written as text.
    func whole(_ name: String, default value: Int? = nil) throws(Misfit) -> Int {
        if let number = try numbers(name)?.first { return number }
        guard let value else { throw .missing("attribute \(name)") }
        return value
    }

    /// Numbers that may be written as text such as `(0.5, 1)`.
    func reals(_ name: String) throws(Misfit) -> [Float]? {
        guard case .string(let text)? = attributes[name] else { return try optionalFloats(name) }
        _ = attribute(name)
        var numbers: [Float] = []
        for part in text.text.split(whereSeparator: { "()[], ".contains($0) }) {
            guard let number = Float(part) else {
                throw .attribute(name, because: "is '\(escaped(text.text))', expected numbers")
            }
            numbers.append(number)
        }
        return numbers
    }

    /// A truth that may be written as text; false when it is left out.
    func flag(_ name: String) throws(Misfit) -> Bool {
        guard case .string(let text)? = attributes[name] else { return try bool(name, default: false) }
        _ = attribute(name)
        switch text.text {
        case "True", "true", "1": return true
        case "False", "false", "0": return false
        default: throw .attribute(name, because: "is '\(escaped(text.text))', expected True or False")
        }
    }
}
