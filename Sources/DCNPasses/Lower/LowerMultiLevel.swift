internal import DCNGraph
internal import DCNOperators

extension MultiLevelRoiAlign: Lowerable {
    /// One RoiAlign for each level, of that level's regions; the results are put back into the order of the regions.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let rois = inputs[0] else { return nil }
        let maps = inputs.dropFirst().compactMap { $0 }
        let regions = try regions(rois)
        let level = try self.level(regions, maps.count)
        let pooled = try growth > 0 ? grown(regions) : regions
        var (found, order): ([Term], [Term]) = ([], [])
        for (index, map) in maps.enumerated() {
            let own = try (level .== Double(index)).applying(NonZero()).reshape([-1])
            var align = RoiAlign(bins, mode: mode)
            align.bins.scale = scales[index]
            align.angleScale = angleScale
            order.append(own)
            found.append(try sketch.node(align, map, pooled.gather(own)))
        }
        let (all, places) = (try Term.joined(found, axis: 0), try Term.joined(order, axis: 0))
        let count = try rois.size(0)
        let inverse = try sketch.node(ScatterElements(), places, places, sketch.range(count))
        var y = try all.gather(inverse)
        if skipsEmpty {
            let (width, height) = try size(regions)
            let isOpen = try (width * height .> 0).reshape([-1, 1, 1, 1])
            y = try isOpen.choosing(y, or: 0)
        }
        return outputs > 1 ? [y, try sketch.node(Identity(), rois)] : [y]
    }

    /// The regions with their batch indices.
    private func regions(_ rois: Term) throws(DCNError) -> Term {
        guard !hasBatches else { return rois }
        let zeros = try rois.slice(1, from: 0, to: 1) * 0
        return try Term.joined([zeros, rois], axis: 1)
    }

    private func size(_ regions: Term) throws(DCNError) -> (width: Term, height: Term) {
        guard angleScale == nil else { return (try regions.column(3), try regions.column(4)) }
        return (
            try regions.column(3) - regions.column(1), try regions.column(4) - regions.column(2)
        )
    }

    /// The level of each region, a float.
    private func level(_ regions: Term, _ count: Int) throws(DCNError) -> Term {
        let (width, height) = try size(regions)
        let share = try (width * height).applying(Sqrt()) / Double(canonicalSize) + 1e-6
        // In double precision: sizes at the edge of two levels are common.
        let power = try share.cast(.float64).applying(Log()) / Double.logarithmOfTwo
        let level = try (power.floored + Double(levelShift)).atLeast(0).atMost(Double(count - 1)).cast(
            .float32)
        // Where sizes have no root the first level is as good as any.
        return try (level .>= 0).choosing(level, or: 0)
    }

    private func grown(_ regions: Term) throws(DCNError) -> Term {
        let batch = try regions.slice(1, from: 0, to: 1)
        func part(_ from: Int, _ to: Int) throws(DCNError) -> Term {
            try regions.slice(1, from: from, to: to)
        }
        guard angleScale == nil else {
            let sizes = try part(3, 5) * Double(growth)
            return try Term.joined([part(0, 3), sizes, part(5, 6)], axis: 1)
        }
        let (first, second) = (try part(1, 3), try part(3, 5))
        let centre = try (first + second) * 0.5
        let half = try (second - first + 1) * Double(growth) * 0.5 - 0.5
        return try Term.joined([batch, centre - half, centre + half], axis: 1)
    }
}

extension Double {
    fileprivate static let logarithmOfTwo = 0.693147180559945309417232121458
}
