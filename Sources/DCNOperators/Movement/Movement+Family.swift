internal import DCNGraph

extension Family {
    /// Elements that change places.
    static let movement = Family(
        [
            Transpose.self, Expand.self, Tile.self, Concat.self, Split.self, Slice.self, Pad.self,
            DepthToSpace.self, SpaceToDepth.self, Trilu.self, ReverseSequence.self, CenterCropPad.self,
            TensorScatter.self, Col2Im.self,
        ],
        ["": plainSpellings.merging(versionedSpellings) { first, _ in first }])

    private static let plainSpellings: [String: Dialect.Spelling] = [
        "Transpose": { (node) throws(Misfit) in Meaning(Transpose(permutation: try node.optionalInts("perm")))
        },
        "Expand": { (_) throws(Misfit) in Meaning(Expand()) },
        "Tile": { (_) throws(Misfit) in Meaning(Tile()) },
        "Concat": { (node) throws(Misfit) in Meaning(Concat(axis: try node.int("axis"))) },
        "DepthToSpace": { (node) throws(Misfit) in
            Meaning(DepthToSpace(blockSize: try node.int("blocksize"), order: try blockOrder(node)))
        },
        "SpaceToDepth": { (node) throws(Misfit) in
            Meaning(SpaceToDepth(blockSize: try node.int("blocksize"), order: try blockOrder(node)))
        },
        "Trilu": { (node) throws(Misfit) in Meaning(Trilu(isUpper: try node.bool("upper", default: true))) },
        "ReverseSequence": { (node) throws(Misfit) in
            Meaning(
                ReverseSequence(
                    batchAxis: try node.int("batch_axis", default: 1),
                    timeAxis: try node.int("time_axis", default: 0)))
        },
        "CenterCropPad": { (node) throws(Misfit) in
            Meaning(CenterCropPad(axes: try node.optionalInts("axes")))
        },
        "TensorScatter": { (node) throws(Misfit) in
            let mode = try node.string("mode", default: "linear")
            guard ["linear", "circular"].contains(mode) else {
                throw .attribute("mode", because: "is '\(escaped(mode))', expected linear or circular")
            }
            return Meaning(
                TensorScatter(axis: try node.int("axis", default: -2), isCircular: mode == "circular"))
        },
        "Col2Im": { (node) throws(Misfit) in
            Meaning(
                Col2Im(
                    dilations: try node.optionalInts("dilations"), pads: try node.optionalInts("pads"),
                    strides: try node.optionalInts("strides")))
        },
    ]

    private static let versionedSpellings: [String: Dialect.Spelling] = [
        "Split": { (node) throws(Misfit) in
            let axis = try node.int("axis", default: 0)
            if node.version >= 18 {
                return Meaning(Split(axis: axis, parts: try node.optionalInt("num_outputs")))
            }
            guard node.version < 13, let lengths = try node.optionalInts("split") else {
                return Meaning(Split(axis: axis))
            }
            return Meaning(Split(axis: axis), order: [0], extra: [vector(lengths)])
        },
        "Slice": { (node) throws(Misfit) in
            guard node.version < 10 else { return Meaning(Slice()) }
            guard let starts = try node.optionalInts("starts") else { throw .missing("attribute starts") }
            guard let ends = try node.optionalInts("ends") else { throw .missing("attribute ends") }
            let axes = try node.optionalInts("axes").map(vector)
            return Meaning(
                Slice(), order: [0], extra: [vector(starts), vector(ends)] + (axes.map { [$0] } ?? []))
        },
        "Pad": { (node) throws(Misfit) in
            let mode = try node.string("mode", default: "constant")
            guard let known = Pad.Mode(rawValue: mode) else {
                throw .attribute(
                    "mode", because: "is '\(escaped(mode))', expected constant, reflect, edge or wrap")
            }
            guard node.version < 11 else { return Meaning(Pad(mode: known)) }
            guard let pads = try node.optionalInts("pads") else { throw .missing("attribute pads") }
            let value = try scalar(try node.float("value", default: 0), like: node)
            return Meaning(Pad(mode: known), order: [0], extra: [vector(pads)] + (value.map { [$0] } ?? []))
        },
    ]

    private static func blockOrder(_ node: SourceNode) throws(Misfit) -> BlockOrder {
        let mode = try node.string("mode", default: "DCR")
        guard let order = BlockOrder(rawValue: mode) else {
            throw .attribute("mode", because: "is '\(escaped(mode))', expected DCR or CRD")
        }
        return order
    }

    /// A number of the element type of the node's first operand; nil for zero.
    private static func scalar(_ value: Float, like node: SourceNode) throws(Misfit) -> Tensor? {
        guard value != 0 else { return nil }
        let data = try node.operands?.required(0, "data")
        switch data?.element ?? .float32 {
        case .float32: return Tensor(scalar: value)
        case .float64: return Tensor(scalar: Double(value))
        case let element: throw .unsupported("padding \(element) with \(value)")
        }
    }
}
