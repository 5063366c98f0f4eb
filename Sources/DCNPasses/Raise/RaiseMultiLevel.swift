internal import DCNGraph
internal import DCNOperators

/// Recognises the pooling of regions from the level of a pyramid that fits their size, written out level by level.
///
///     scatter(roiAlign(levelₗ, regions where ⌊log₂(size / canonical)⌋ = l)…) → multiLevelRoiAlign(regions, levels…)
///     Σₗ roiAlign(levelₗ, regions · maskₗ) · maskₗ                          → multiLevelRoiAlign(regions, levels…)
///
/// Which regions reach which level is seen by sending regions of many sizes; then it is proved on seeded data like the
/// other raised operators. Sizes within a hundred-thousandth of where levels meet may be of either, as logarithms round.
package struct RaiseMultiLevel: Raising {
    package static let name = "raise-multi-level"
    package init() {}

    func mayApply(to graph: Graph) -> Bool { graph.nodes.count { graph[$0].op is RoiAlign } > 1 }

    func candidate(_ id: NodeID, in graph: Graph) -> Result<RaisedOperator, NotRaised>? {
        guard let merge = LevelMerge(id, in: graph) else { return nil }
        var miss: NotRaised?
        for regions in merge.regions {
            switch DecomposedLevels(merge, regions, in: graph)?.raised() {
            case .success(let raised): return .success(raised)
            case .failure(let reason): miss = miss ?? reason
            case nil: continue
            }
        }
        return miss.map { .failure($0) }
    }
}

/// Poolings of regions that are joined into one result: by scattering, by adding or end to end.
struct LevelMerge {
    /// The poolings, in running order.
    let poolings: [NodeID]
    /// What is joined, and what follows from it by movement alone; the nearest first.
    let results: [ValueID]
    /// The node that joins.
    let node: Node
    private let graph: Graph

    /// The poolings that a node joins; nil where one of its operands holds them all, or none.
    init?(_ id: NodeID, in graph: Graph) {
        node = graph[id]
        guard Self.carriers.contains(node.op.name), let output = node.outputs[0] else { return nil }
        let all = Self.poolings(in: output, graph)
        guard all.count > 1,
            !node.inputs.contains(where: { $0.map { Self.poolings(in: $0, graph) == all } ?? false })
        else { return nil }
        let places = graph.places
        poolings = all.sorted { places[$0, default: 0] < places[$1, default: 0] }
        results = Self.followers(of: output, graph)
        self.graph = graph
    }

    private static let carriers: Set<String> = [
        "ScatterND", "ScatterElements", "Add", "Sum", "Mul", "Where", "Concat", "Gather", "Slice", "Reshape",
        "Squeeze", "Unsqueeze", "Identity",
    ]

    /// The poolings whose numbers a value carries.
    private static func poolings(in value: ValueID, _ graph: Graph) -> Set<NodeID> {
        var (waiting, seen, found) = ([value], Set<NodeID>(), Set<NodeID>())
        while let next = waiting.popLast(), seen.count <= 500 {
            guard let producer = graph[next].producer, seen.insert(producer).inserted else { continue }
            let node = graph[producer]
            if node.op is RoiAlign {
                found.insert(producer)
            } else if carriers.contains(node.op.name) {
                waiting += node.inputs.compactMap { $0 }
            }
        }
        return found
    }

    private static func followers(of value: ValueID, _ graph: Graph) -> [ValueID] {
        var results = [value]
        while let last = results.last, graph[last].consumers.count == 1, !graph.isOutput(last),
            let reader = graph[last].consumers.first, graph[reader].inputs[0] == last,
            ["Slice", "Gather", "Identity"].contains(graph[reader].op.name),
            let next = graph[reader].outputs[0]
        {
            results.append(next)
        }
        return results
    }

    /// Values before the poolings that hold the corners of regions, with batch indices or without; the farthest first.
    var regions: [ValueID] {
        var waiting = poolings.flatMap { graph[$0].inputs.dropFirst() }.compactMap { $0 }
        var (seen, found): (Set<ValueID>, [ValueID]) = ([], [])
        while !waiting.isEmpty, seen.count <= 300, found.count < 16 {
            let next = waiting.removeFirst()
            guard graph[next].constant == nil, seen.insert(next).inserted else { continue }
            if let type = graph[next].type.tensor, type.element == .float32, type.shape?.rank == 2,
                let columns = type.shape?[1].fixed, 4...5 ~= columns
            {
                found.append(next)
            }
            waiting += graph[next].producer.map { graph[$0].inputs.compactMap { $0 } } ?? []
        }
        return found.reversed()
    }
}
