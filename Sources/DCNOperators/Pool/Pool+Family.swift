internal import DCNGraph

extension Family {
    /// Pooling over windows and whole planes.
    static let pools = Family(
        [Pool.self, GlobalPool.self, MaxUnpool.self, AdaptiveAveragePool.self],
        [
            "": [
                "MaxPool": maximum, "AveragePool": average, "LpPool": norm,
                "GlobalMaxPool": { (_) throws(Misfit) in Meaning(GlobalPool(.maximum)) },
                "GlobalAveragePool": { (_) throws(Misfit) in
                    Meaning(GlobalPool(.average(countsPadding: false)))
                },
                "GlobalLpPool": { (node) throws(Misfit) in
                    Meaning(GlobalPool(.norm(order: try node.int("p", default: 2))))
                },
                "MaxUnpool": { (node) throws(Misfit) in
                    Meaning(MaxUnpool(try PoolWindow(node, hasDilations: false, hasCeiling: false)))
                },
            ],
            "mmdeploy": [
                "AdaptiveAvgPool2d": { (node) throws(Misfit) in
                    guard let size = node.operands?.constant(1)?.integers else {
                        throw .missing("constant output_size")
                    }
                    guard size.count == 1 || size.count == 2 else {
                        throw .value(of: "output_size", because: "has \(size.count) numbers, expected 1 or 2")
                    }
                    if size.allSatisfy({ $0 == 1 }) {
                        return Meaning(GlobalPool(.average(countsPadding: false)), order: [0])
                    }
                    return Meaning(
                        AdaptiveAveragePool(height: size[0], width: size[size.count - 1]), order: [0])
                }
            ],
            "com.microsoft": [
                "NhwcMaxPool": { (node) throws(Misfit) in
                    Meaning(
                        Pool(
                            .maximum, try PoolWindow(node, hasDilations: true, hasCeiling: true),
                            hasChannelsLast: true))
                }
            ],
        ])

    private static func maximum(_ node: SourceNode) throws(Misfit) -> Meaning {
        let window = try PoolWindow(node, hasDilations: node.version >= 10, hasCeiling: node.version >= 10)
        let columns = node.version >= 8 ? try node.bool("storage_order", default: false) : false
        return Meaning(Pool(.maximum, window, countsColumns: columns))
    }

    private static func average(_ node: SourceNode) throws(Misfit) -> Meaning {
        let window = try PoolWindow(node, hasDilations: node.version >= 19, hasCeiling: node.version >= 10)
        return Meaning(
            Pool(.average(countsPadding: try node.bool("count_include_pad", default: false)), window))
    }

    private static func norm(_ node: SourceNode) throws(Misfit) -> Meaning {
        let window = try PoolWindow(node, hasDilations: node.version >= 18, hasCeiling: node.version >= 18)
        return Meaning(Pool(.norm(order: try node.int("p", default: 2)), window))
    }
}
