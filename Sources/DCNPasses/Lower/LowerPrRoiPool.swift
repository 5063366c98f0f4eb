internal import DCNGraph
internal import DCNOperators

extension PrRoiPool: Lowerable {
    /// Two products of matrices: what each row, then each column, adds to the integral over each bin.
    ///
    ///     y[r, c] = rows[r] · x[batch(r), c] · columns[r]ᵀ / area        rows [height, H], columns [width, W]
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        guard let channels = x.extent(1), let extents = [x.extent(2), x.extent(3)] as? [Int] else {
            throw sketch.refusal("needs known channels and extents to be written in standard operators")
        }
        let corners = try RegionCorners(rois, batches: nil, bins)
        let rows = try weights(corners.top, corners.height, bins.height, extents[0])
        let columns = try weights(corners.left, corners.width, bins.width, extents[1])
        // Rows of other images than the region's count nothing.
        let images = try sketch.range(x.size(0)).cast(.float32).reshape([1, 1, -1, 1])
        let own = try (corners.batch.reshape([-1, 1, 1, 1]) .== images).cast(.float32)
        let all = try (rows.unsqueezed(2) * own).reshape(
            Term.joined([sketch.integers([-1]), x.length(0) * Double(extents[0])], axis: 0))
        let stacked = try x.transpose([1, 0, 2, 3]).reshape([channels, -1, extents[1]])
        let bands = try all.product(stacked).reshape([channels, -1, bins.height, extents[1]])
        let sums = try bands.product(columns.transpose([0, 2, 1])).transpose([1, 0, 2, 3])
        let area =
            try (corners.height * corners.width).reshape([-1, 1, 1, 1])
            / Double(bins.height * bins.width)
        let isOpen = try (corners.height .> 0) .& (corners.width .> 0)
        let open = try isOpen.reshape([-1, 1, 1, 1])
        return [try open.choosing(sums / open.choosing(area, or: 1), or: 0)]
    }

    /// What each of `extent` cells adds to the integral over each bin: [R, bins, extent].
    private func weights(_ start: Term, _ size: Term, _ bins: Int, _ extent: Int) throws(DCNError) -> Term {
        let bin = try size.reshape([-1, 1, 1]) / Double(bins)
        let numbers = start.sketch.floats((0..<bins).map { Float($0) }, [1, bins, 1])
        let from = try start.reshape([-1, 1, 1]) + bin * numbers
        let cells = start.sketch.floats((0..<extent).map { Float($0) }, [1, 1, extent])
        return try hat(from + bin - cells) - hat(from - cells)
    }

    /// The integral of max(0, 1 − |t|) up to `t`: with t held to −1 … 1, (t + 1)² / 2 − max(t, 0)².
    private func hat(_ t: Term) throws(DCNError) -> Term {
        let held = try t.atLeast(-1).atMost(1)
        let (rising, falling) = (try held + 1, try held.atLeast(0))
        return try rising * rising * 0.5 - falling * falling
    }
}
