internal import DCNGraph
internal import DCNOperators

/// A pooling from levels that was written out, seen from the regions that reach each of them.
struct DecomposedLevels {
    private let merge: LevelMerge
    private let graph: Graph
    private let regions: ValueID
    /// Numbers of a region, and how many regions are sent at once.
    private let columns, count: Int
    private let poolings: [(op: RoiAlign, map: ValueID)]
    /// From all regions to those of each pooling.
    private let reach: Subgraph

    /// The poolings as they follow from some regions; nil where they follow from something else.
    init?(_ merge: LevelMerge, _ regions: ValueID, in graph: Graph) {
        let corners = merge.poolings.compactMap { graph[$0].inputs[1] }
        poolings = merge.poolings.compactMap { id in
            guard let op = graph[id].op as? RoiAlign, let map = graph[id].inputs[0] else { return nil }
            return (op, map)
        }
        guard Set(corners).count == merge.poolings.count, poolings.count == corners.count,
            let reach = Subgraph(from: [regions], to: corners, in: graph),
            let shape = graph[regions].type.tensor?.shape, let columns = shape[1].fixed
        else { return nil }
        let count = shape[0].fixed ?? 24
        guard count > 0 else { return nil }
        (self.merge, self.graph, self.regions, self.reach) = (merge, graph, regions, reach)
        (self.columns, self.count) = (columns, count)
    }

    /// The operator, if one is found and proved; nil where regions do not each reach one pooling.
    func raised() -> Result<RaisedOperator, NotRaised>? {
        guard let seen = sights(Self.sizes) else { return nil }
        var order: [Int] = []
        for sight in seen where !order.contains(sight.pooling) { order.append(sight.pooling) }
        guard order.count == poolings.count else { return nil }
        let levels = seen.map { order.firstIndex(of: $0.pooling) ?? 0 }
        guard levels == levels.sorted(), let size = canonicalSize(levels, first: order[0]) else {
            return .failure(NotRaised(step: .levels))
        }
        let shifts = order.map { pooling in seen.first { $0.pooling == pooling }?.shift ?? 0 }
        guard let op = op(order, shifts, size) else { return .failure(NotRaised(step: .poolings)) }
        guard spreads(op, order) else { return .failure(NotRaised(step: .levels)) }
        let maps = order.map { poolings[$0].map }
        guard let root = merge.results.first(where: { agrees(op, maps, $0) }) else {
            return .failure(NotRaised(step: .answers))
        }
        return .success(
            RaisedOperator(
                op: op, root: root, node: merge.node, operands: ([regions] + maps).map { .value($0) }))
    }

    // MARK: levels

    /// Where a region of some size went, and how far it had been moved.
    private struct Sight { let pooling: Int; let shift: Float }

    /// Four to each octave, from what is never larger than the first level's to what is never smaller than the last's.
    private static let sizes: [Float] = (0...96).map { index in
        [1, 1.189_207_1, 1.414_213_6, 1.681_792_8][index % 4]
            * Float(sign: .plus, exponent: index / 4 - 4, significand: 1)
    }

    /// Where regions of these sizes go; nil unless each goes to one pooling.
    private func sights(_ sizes: [Float]) -> [Sight]? {
        var found = [Sight?](repeating: nil, count: sizes.count)
        for start in stride(from: 0, to: sizes.count, by: count) {
            let part = Array(sizes[start..<min(start + count, sizes.count)])
            guard
                let reached = Tensor(extents: [count, columns], numbered(part)).flatMap({
                    reach.evaluate([regions: $0])
                })
            else { return nil }
            for (pooling, rows) in reached.enumerated() {
                let width = rows.extents.last ?? 0
                guard rows.extents.count == 2, 4...5 ~= width else { return nil }
                let numbers = rows.elements(as: Float.self)
                for row in stride(from: width - 4, to: numbers.count, by: width) {
                    guard let number = whole(Double(numbers[row + 3] - numbers[row + 1])),
                        1...part.count ~= number
                    else { continue }
                    guard found[start + number - 1] == nil else { return nil }
                    found[start + number - 1] = Sight(pooling: pooling, shift: -numbers[row + 1])
                }
            }
        }
        let all = found.compactMap { $0 }
        return all.count == sizes.count ? all : nil
    }

    /// Regions of some sizes whose heights are their numbers, by which they are known again; the rest is zero.
    private func numbered(_ sizes: [Float]) -> [Float] {
        (0..<count).flatMap { index -> [Float] in
            guard index < sizes.count else { return [Float](repeating: 0, count: columns) }
            let height = Float(index + 1)
            return [Float](repeating: 0, count: columns - 2) + [sizes[index] * sizes[index] / height, height]
        }
    }

    /// Half the size from which regions are of the second level.
    private func canonicalSize(_ levels: [Int], first: Int) -> Float? {
        guard let place = levels.firstIndex(where: { $0 > 0 }), place > 0 else { return nil }
        var (low, high) = (Self.sizes[place - 1], Self.sizes[place])
        for _ in 0..<64 where high > low * 1.000_001 {
            let step = (high - low) / Float(count + 1)
            let sizes = (1...count).map { low + Float($0) * step }
            guard let seen = sights(sizes) else { return nil }
            let end = seen.firstIndex { $0.pooling != first } ?? count
            (low, high) = (end > 0 ? sizes[end - 1] : low, end < count ? sizes[end] : high)
        }
        let size = (low + high) / 4
        // Sizes are written as short numbers: what was seen is rounded.
        let short = (size * 64).rounded() / 64
        return abs(short - size) <= size * 4e-6 ? short : size
    }

    /// Whether sizes are spread as the operator spreads them, close to where levels meet too.
    private func spreads(_ op: MultiLevelRoiAlign, _ order: [Int]) -> Bool {
        var (sizes, edge) = (Self.sizes, op.canonicalSize)
        for _ in order.dropFirst() {
            edge *= 2
            sizes += [edge * 0.999_99, edge * 1.000_01]
        }
        guard let seen = sights(sizes) else { return false }
        return zip(sizes, seen).allSatisfy { order[op.level(ofArea: $0 * $0, of: order.count)] == $1.pooling }
    }

    // MARK: poolings

    /// The operator that pools as all poolings do; nil where they differ.
    private func op(_ order: [Int], _ shifts: [Float], _ size: Float) -> MultiLevelRoiAlign? {
        let all = zip(order, shifts).map { (level, shift) -> RoiAlign in
            var op = poolings[level].op
            op.bins.offset = ((op.bins.offset + shift * op.bins.scale) * 1024).rounded() / 1024
            op.bins.scale = 1
            return op
        }
        guard let first = all.first, all.allSatisfy({ $0 == first }), first.angleScale == nil,
            !first.isPositionSensitive, !first.emptyIsNaN
        else { return nil }
        return MultiLevelRoiAlign(
            first.bins, mode: first.mode, scales: order.map { poolings[$0].op.bins.scale },
            canonicalSize: size, hasBatches: columns == 5)
    }

    private func agrees(_ op: MultiLevelRoiAlign, _ maps: [ValueID], _ root: ValueID) -> Bool {
        guard let whole = Subgraph(from: [regions] + maps, to: [root], in: graph) else { return false }
        return (0..<max(2, 24 / count)).allSatisfy { round in
            var trial = Trial(seed: UInt64(round))
            var given: [ValueID: Tensor] = [:]
            for map in maps {
                guard let extents = extents(map) else { return false }
                given[map] = trial.tensor(extents)
            }
            guard let image = given[maps[0]]?.extents else { return false }
            given[regions] = regions(of: op, image, from: round * count, &trial)
            let operands = ([regions] + maps).map { given[$0].map(Datum.tensor) }
            guard let expected = whole.evaluate(given)?.first, let got = evaluated(op, operands)?.first
            else { return false }
            return Trial.agree(got, expected)
        }
    }

    /// A level's extents, of any size where the graph leaves that open.
    private func extents(_ map: ValueID) -> [Int]? {
        guard let dimensions = graph[map].type.tensor?.shape?.dimensions, dimensions.count == 4,
            dimensions[1].fixed != nil
        else { return nil }
        return zip(dimensions, [2, 1, 20, 24]).map { $0.fixed ?? $1 }
    }

    /// Regions about the image, of sizes of all levels; the first of all has no area.
    private func regions(
        of op: MultiLevelRoiAlign, _ image: [Int], from first: Int, _ trial: inout Trial
    ) -> Tensor? {
        guard image[0] > 0 else { return nil }
        var rows: [Float] = []
        for index in first..<first + count {
            var size = op.canonicalSize / 4
            for _ in 0..<index % (2 * poolings.count + 3) { size *= 1.5 * (1 + trial.number() / 8) }
            let half = [size, size * (1 + trial.number() / 2)].map { index > 0 ? $0 / 2 : 0 }
            let centre = [image[3], image[2]].map { (trial.number() + 1) / 2 * Float($0) / op.scales[0] }
            if op.hasBatches { rows.append(Float(index % image[0])) }
            rows += [centre[0] - half[0], centre[1] - half[1], centre[0] + half[0], centre[1] + half[1]]
        }
        return Tensor(extents: [count, columns], rows)
    }
}
