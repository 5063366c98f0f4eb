internal import DCNGraph
internal import DCNOperators

/// Where the bins of regions take their samples: places of shape [R, height, width, samples down, samples across], or
/// with extents of 1 where an axis does not matter.
struct RegionGrid {
    /// One axis of all regions.
    struct Axis {
        /// Where bins begin, without what moves them.
        let start: Term
        /// The regions' extents.
        let size: Term
        /// Where samples lie.
        let places: Term
        /// How many samples a bin has.
        let count: Term
        /// Which samples exist; nil: all.
        let exists: Term?
    }

    let rows, columns: Axis
    /// The image that each region is in.
    let image: (exists: Term, index: Term)

    /// Upright regions (batch, x1, y1, x2, y2), in pixels.
    init(_ corners: RegionCorners, _ bins: RegionBins, _ table: PixelTable) throws(DCNError) {
        rows = try Self.axis(from: corners.top, size: corners.height, bins.height, at: 1, bins.samplingRatio)
        columns = try Self.axis(
            from: corners.left, size: corners.width, bins.width, at: 2, bins.samplingRatio)
        image = try table.image(corners.batch)
    }

    /// `from` and `size` have the shape [R, 1, 1, 1, 1]; bins lie along axis `at`, their samples two axes behind.
    private static func axis(
        from: Term, size: Term, _ bins: Int, at axis: Int, _ ratio: Int
    ) throws(DCNError) -> Axis {
        let sketch = from.sketch
        func along(_ axis: Int, _ count: Int) -> [Int] { (0..<5).map { $0 == axis ? count : 1 } }
        let bin = try size / Double(bins)
        let start = try from + bin * sketch.floats((0..<bins).map { Float($0) }, along(axis, bins))
        guard ratio <= 0 else {
            let shares = sketch.floats(
                (0..<ratio).map { (Float($0) + 0.5) / Float(ratio) }, along(axis + 2, ratio))
            return Axis(
                start: start, size: size, places: try start + bin * shares,
                count: try sketch.scalar(Double(ratio), .float32), exists: nil)
        }
        // As many samples as the largest region needs; those that others do not have are left out.
        let count = try bin.ceiled.atLeast(0)
        let most = try Term.joined([count.reshape([-1]), sketch.floats([1])], axis: 0)
            .reduced(.maximum, [0]).cast(.int64)
        let index = try sketch.range(most).cast(.float32).reshape(along(axis + 2, -1))
        return Axis(
            start: start, size: size, places: try start + bin * (index + 0.5) / count.atLeast(1),
            count: count, exists: try index .< count)
    }

    /// Samples [R, height, width, down, across, C] as one value for each bin: [R, C, height, width].
    func combined(
        _ samples: Term, _ mode: RoiAlign.Mode, emptyIsNaN: Bool = false
    ) throws(DCNError) -> Term {
        let result: Term
        switch mode {
        case .average:
            let product = try rows.count * columns.count
            let count = try emptyIsNaN ? product : product.atLeast(1)
            let sum = try masked(samples, 0).reduced(.sum, [3, 4], keeps: true)
            result = try (sum / count.reshape(count.type.shape?.rank == 0 ? [1] : [-1, 1, 1, 1, 1, 1]))
                .squeezed(3, 4)
        case .maximum(let initial):
            result = try masked(samples, Double(initial)).reduced(.maximum, [3, 4]).atLeast(Double(initial))
        case .maximumCorner:
            throw samples.sketch.refusal("of the greatest corner has no standard spelling in this form")
        }
        return try result.transpose([0, 3, 1, 2])
    }

    private func masked(_ samples: Term, _ number: Double) throws(DCNError) -> Term {
        var samples = samples
        for axis in [rows, columns] {
            if let exists = axis.exists {
                samples = try exists.unsqueezed(-1).choosing(samples, or: number)
            }
        }
        return samples
    }
}

/// Regions as columns of shape [R, 1, 1, 1, 1], scaled to pixels.
struct RegionCorners {
    let batch, left, top, width, height: Term

    /// From rois [R, 5], or [R, 4] with batch indices apart.
    init(_ rois: Term, batches: Term?, _ bins: RegionBins) throws(DCNError) {
        let first = batches == nil ? 1 : 0
        func scaled(_ index: Int) throws(DCNError) -> Term {
            try rois.upright(first + index) * Double(bins.scale) - Double(bins.offset)
        }
        batch = try Self.batch(rois, batches)
        (left, top) = (try scaled(0), try scaled(1))
        width = try Self.size(left, try scaled(2), bins)
        height = try Self.size(top, try scaled(3), bins)
    }

    /// Regions about the origin.
    init(batch: Term, width: Term, height: Term) throws(DCNError) {
        (self.batch, self.width, self.height) = (batch, width, height)
        (left, top) = (try width * -0.5, try height * -0.5)
    }

    /// The image of each region, [R, 1, 1, 1, 1].
    static func batch(_ rois: Term, _ batches: Term?) throws(DCNError) -> Term {
        guard let batches else { return try rois.upright(0) }
        return try batches.cast(.float32).reshape([-1, 1, 1, 1, 1])
    }

    private static func size(_ from: Term, _ to: Term, _ bins: RegionBins) throws(DCNError) -> Term {
        let size = try to - from
        return try bins.minimum.map { (least) throws(DCNError) in try size.atLeast(Double(least)) } ?? size
    }
}

extension Term {
    /// A column of [R, …] as [R, 1, 1, 1, 1].
    func upright(_ index: Int) throws(DCNError) -> Term {
        try slice(1, from: index, to: index + 1).reshape([-1, 1, 1, 1, 1])
    }
}
