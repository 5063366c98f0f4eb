internal import DCNGraph

extension Family {
    /// Reductions, and what is made of them.
    static let reductions = Family(
        [
            Reduce.self, ArgExtreme.self, Softmax.self, LpNormalization.self, MeanVarianceNormalization.self,
            Determinant.self,
        ],
        [
            "": [
                "ReduceSum": reduce(.sum), "ReduceMean": reduce(.mean), "ReduceMax": reduce(.maximum),
                "ReduceMin": reduce(.minimum), "ReduceProd": reduce(.product),
                "ReduceSumSquare": reduce(.sumSquare), "ReduceL1": reduce(.l1), "ReduceL2": reduce(.l2),
                "ReduceLogSum": reduce(.logSum), "ReduceLogSumExp": reduce(.logSumExp),
                "ArgMax": argument(least: false), "ArgMin": argument(least: true),
                "Softmax": softmax(.softmax), "LogSoftmax": softmax(.logSoftmax),
                "Hardmax": softmax(.hardmax),
                "LpNormalization": { (node) throws(Misfit) in
                    Meaning(
                        LpNormalization(
                            axis: try node.int("axis", default: -1), order: try node.int("p", default: 2)))
                },
                "MeanVarianceNormalization": { (node) throws(Misfit) in
                    Meaning(MeanVarianceNormalization(axes: try node.ints("axes", default: [0, 2, 3])))
                },
                "Det": { (_) throws(Misfit) in Meaning(Determinant()) },
            ]
        ])

    private static func reduce(_ reduction: ReduceKind) -> Dialect.Spelling {
        { (node) throws(Misfit) in
            let keeps = try node.bool("keepdims", default: true)
            guard node.version < (reduction == .sum ? 13 : 18) else {
                let op = Reduce(
                    reduction, keepsDimensions: keeps,
                    keepsAllWithoutAxes: try node.bool("noop_with_empty_axes", default: false))
                return Meaning(op)
            }
            let axes = try node.optionalInts("axes").map { Tensor(vector: $0.map(Int64.init)) }
            return Meaning(
                Reduce(reduction, keepsDimensions: keeps), order: [0], extra: [axes].compactMap { $0 })
        }
    }

    private static func argument(least: Bool) -> Dialect.Spelling {
        { (node) throws(Misfit) in
            let op = ArgExtreme(
                least: least, axis: try node.int("axis", default: 0),
                keepsDimensions: try node.bool("keepdims", default: true),
                takesLast: node.version >= 12 ? try node.bool("select_last_index", default: false) : false)
            return Meaning(op)
        }
    }

    private static func softmax(_ kind: Softmax.Kind) -> Dialect.Spelling {
        { (node) throws(Misfit) in
            let isOld = node.version < 13
            let axis = try node.int("axis", default: isOld ? 1 : -1)
            return Meaning(Softmax(kind, axis: axis, flattens: isOld).simplified(for: node.operands))
        }
    }
}
