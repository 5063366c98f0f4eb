internal import DCNGraph

extension Family {
    /// Values that are no tensors.
    static let sequences = Family(
        [
            SequenceConstruct.self, SequenceEmpty.self, SequenceAt.self, SequenceErase.self,
            SequenceInsert.self,
            SequenceLength.self, SplitToSequence.self, ConcatFromSequence.self, OptionalOf.self,
            OptionalGetElement.self, OptionalHasElement.self,
        ],
        [
            "": [
                "SequenceConstruct": { (_) throws(Misfit) in Meaning(SequenceConstruct()) },
                "SequenceEmpty": { (node) throws(Misfit) in
                    let element = try node.optionalElement("dtype")
                    return Meaning(SequenceEmpty(element: element ?? .float32))
                },
                "SequenceAt": { (_) throws(Misfit) in Meaning(SequenceAt()) },
                "SequenceErase": { (_) throws(Misfit) in Meaning(SequenceErase()) },
                "SequenceInsert": { (_) throws(Misfit) in Meaning(SequenceInsert()) },
                "SequenceLength": { (_) throws(Misfit) in Meaning(SequenceLength()) },
                "SplitToSequence": { (node) throws(Misfit) in
                    Meaning(
                        SplitToSequence(
                            axis: try node.int("axis", default: 0),
                            keepsAxis: try node.bool("keepdims", default: true)))
                },
                "ConcatFromSequence": { (node) throws(Misfit) in
                    Meaning(
                        ConcatFromSequence(
                            axis: try node.int("axis"), addsAxis: try node.bool("new_axis", default: false)))
                },
                "Optional": { (node) throws(Misfit) in
                    switch node.attribute("type") {
                    case nil: return Meaning(OptionalOf())
                    case .type(let type): return Meaning(OptionalOf(type: type))
                    default: throw .attribute("type", because: "is no type")
                    }
                },
                "OptionalGetElement": { (_) throws(Misfit) in Meaning(OptionalGetElement()) },
                "OptionalHasElement": { (_) throws(Misfit) in Meaning(OptionalHasElement()) },
            ]
        ])
}
