internal import DCNGraph

extension Family {
    /// Elements chosen, placed, ordered and run over by index.
    static let indexing = Family(
        [
            Gather.self, GatherElements.self, GatherND.self, ScatterElements.self, ScatterND.self,
            OneHot.self,
            Compress.self, NonZero.self, Unique.self, TopK.self, CumSum.self, CumProd.self,
            CumulativeExtreme.self,
            CornerPool.self, GridPriors.self, PSAMask.self, Inverse.self,
        ],
        [
            "": choosing.merging(ordering) { first, _ in first },
            "org.pytorch._caffe2": ["BatchPermutation": { (_) throws(Misfit) in Meaning(Gather(axis: 0)) }],
            "mmcv": openMMLab, "mmdeploy": openMMLab,
            "com.microsoft": ["Inverse": { (_) throws(Misfit) in Meaning(Inverse()) }],
        ])

    private static let choosing: [String: Dialect.Spelling] = [
        "Gather": { (node) throws(Misfit) in Meaning(Gather(axis: try node.int("axis", default: 0))) },
        "GatherElements": { (node) throws(Misfit) in
            Meaning(GatherElements(axis: try node.int("axis", default: 0)))
        },
        "GatherND": { (node) throws(Misfit) in
            Meaning(GatherND(batchAxes: node.version >= 12 ? try node.int("batch_dims", default: 0) : 0))
        },
        "Scatter": { (node) throws(Misfit) in Meaning(ScatterElements(axis: try node.int("axis", default: 0)))
        },
        "ScatterElements": { (node) throws(Misfit) in
            Meaning(ScatterElements(axis: try node.int("axis", default: 0), reduction: try reduction(node)))
        },
        "ScatterND": { (node) throws(Misfit) in Meaning(ScatterND(reduction: try reduction(node))) },
        "OneHot": { (node) throws(Misfit) in Meaning(OneHot(axis: try node.int("axis", default: -1))) },
        "Compress": { (node) throws(Misfit) in Meaning(Compress(axis: try node.optionalInt("axis"))) },
    ]

    private static let ordering: [String: Dialect.Spelling] = [
        "NonZero": { (_) throws(Misfit) in Meaning(NonZero()) },
        "Unique": { (node) throws(Misfit) in
            Meaning(
                Unique(axis: try node.optionalInt("axis"), isSorted: try node.bool("sorted", default: true)))
        },
        "TopK": { (node) throws(Misfit) in
            let axis = try node.int("axis", default: -1)
            guard node.version >= 10 else {
                return Meaning(TopK(axis: axis), order: [0], extra: [vector([try node.int("k")])])
            }
            guard node.version >= 11 else { return Meaning(TopK(axis: axis)) }
            return Meaning(
                TopK(
                    axis: axis, isLargest: try node.bool("largest", default: true),
                    isSorted: try node.bool("sorted", default: true)))
        },
        "CumSum": { (node) throws(Misfit) in
            Meaning(
                CumSum(
                    isExclusive: try node.bool("exclusive", default: false),
                    isReversed: try node.bool("reverse", default: false)))
        },
        "CumProd": { (node) throws(Misfit) in
            Meaning(
                CumProd(
                    isExclusive: try node.bool("exclusive", default: false),
                    isReversed: try node.bool("reverse", default: false)))
        },
    ]

    private static func reduction(_ node: SourceNode) throws(Misfit) -> Reduction {
        guard node.version >= 16 || node.domain != "" else { return .none }
        let written = try node.string("reduction", default: "none")
        guard let reduction = Reduction(rawValue: written) else {
            throw .attribute(
                "reduction", because: "is '\(escaped(written))', expected none, add, mul, max or min")
        }
        return reduction
    }
}
