internal import DCNGraph
internal import DCNOperators

/// Recognises multi-scale deformable attention, written out with one grid sample for each level.
///
///     rearrange(reduceSum(concat(gridSample(level(value), 2·locations − 1)…) · weights)) → deformableAttention(…)
///
/// Proved on seeded data like the other raised operators.
package struct RaiseAttention: Raising {
    package static let name = "raise-attention"
    package init() {}

    func candidate(_ id: NodeID, in graph: Graph) -> Result<RaisedOperator, NotRaised>? {
        SampleSum(id, in: graph).flatMap { raised($0, graph) }.map { .success($0) }
    }

    private func raised(_ sum: SampleSum, _ graph: Graph) -> RaisedOperator? {
        guard let flow = SamplingFlow(into: [sum.samples], in: graph, places: graph.places) else {
            return nil
        }
        let images = flow.gathers.compactMap { gather -> [Int]? in
            guard graph[gather].op is GridSample, let data = flow.data(of: gather) else { return nil }
            return graph.floatExtents(data)
        }
        guard images.count == flow.gathers.count,
            images.allSatisfy({ $0.count == 4 && $0[0...1] == images[0][0...1] })
        else {
            return nil
        }
        let levels = images.map { Array($0[2...]) }
        let places = levels.reduce(0) { $0 + $1[0] * $1[1] }
        for locations in flow.positions {
            guard let extents = graph.floatExtents(locations), extents.count == 6, extents[3] == levels.count,
                extents[5] == 2, extents[0] * extents[2] == images[0][0]
            else { continue }
            let depth = images[0][1]
            let value = flow.images.first {
                graph.floatExtents($0) == [extents[0], places, extents[2], depth]
            }
            let root = sum.results.first {
                graph.floatExtents($0) == [extents[0], extents[1], extents[2] * depth]
            }
            let weights = flow.masks(besides: locations)?.first {
                graph.floatExtents($0) == Array(extents[0..<5])
            }
            guard let value, let root, let weights else { continue }
            if let raised = proved(sum.node, value, locations, weights, root, levels, graph) { return raised }
        }
        return nil
    }

    private func proved(
        _ node: Node, _ value: ValueID, _ locations: ValueID, _ weights: ValueID, _ root: ValueID,
        _ levels: [[Int]],
        _ graph: Graph
    ) -> RaisedOperator? {
        var starts: [Int64] = [0]
        for level in levels.dropLast() { starts.append((starts.last ?? 0) + Int64(level[0] * level[1])) }
        guard let whole = Subgraph(from: [value, locations, weights], to: [root], in: graph),
            let shapes = Tensor(extents: [levels.count, 2], levels.flatMap { $0 }.map { Int64($0) }),
            let valueExtents = graph.floatExtents(value), let locationExtents = graph.floatExtents(locations)
        else { return nil }
        let begins = Tensor(vector: starts)
        for seed in 1...2 {
            var trial = Trial(seed: UInt64(seed))
            let count = locationExtents.reduce(1, *)
            // Positions within the levels and beyond their edges.
            let spread = (0..<count).map { _ in trial.number() * 0.9 + 0.5 }
            guard let x = trial.tensor(valueExtents), let places = Tensor(extents: locationExtents, spread),
                let factors = trial.tensor(Array(locationExtents[0..<5])),
                let expected = whole.evaluate([value: x, locations: places, weights: factors])?.first,
                let got = evaluated(
                    DeformableAttention(), [x, shapes, begins, places, factors].map { Datum.tensor($0) })?
                    .first,
                Trial.agree(got, expected)
            else { return nil }
        }
        return RaisedOperator(
            op: DeformableAttention(), root: root, node: node,
            operands: [
                .value(value), .constant(shapes), .constant(begins), .value(locations), .value(weights),
            ])
    }
}
