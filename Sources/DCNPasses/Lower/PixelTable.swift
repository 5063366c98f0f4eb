internal import DCNGraph
internal import DCNOperators

/// Images as a table with a row of channels for each pixel, from which samples are gathered.
struct PixelTable {
    private let rows: Term
    private let height, width: Term
    private let images: Term
    /// Groups of channels that have rows of their own.
    private let groups: Int

    /// Images [N, C, H, W]. With groups, channels are [C′, groups], or [groups, C′] where groups come first.
    init(_ x: Term, groups: Int = 1, groupsFirst: Bool = false) throws(DCNError) {
        guard x.element == .float32 else {
            throw x.sketch.refusal("has no standard spelling on \(x.element)")
        }
        guard let channels = x.extent(1) else {
            throw x.sketch.refusal("needs a known number of channels to be written in standard operators")
        }
        let each = channels / groups
        let apart = try x.reshape(groupsFirst ? [0, groups, each, -1] : [0, each, groups, -1])
        rows = try apart.transpose(groupsFirst ? [0, 1, 3, 2] : [0, 2, 3, 1]).reshape([-1, each])
        height = try x.size(2)
        width = try x.size(3)
        images = try x.size(0)
        self.groups = groups
    }

    /// Whether a float names an image, and its number, 0 where it names none.
    func image(_ number: Term) throws(DCNError) -> (exists: Term, index: Term) {
        let exists = try (number .>= 0) .& (number .< images.cast(.float32))
        return (exists, try exists.choosing(number, or: 0).cast(.int64))
    }

    /// Bilinear samples [… , C′] at (y, x) of images and groups, all shapes broadcast. The edge's pixels go on for `reach`
    /// pixels (RoiAlign: 1), beyond is 0.
    func samples(
        _ y: Term, _ x: Term, image: (exists: Term, index: Term), group: Term? = nil, reach: Double = 1
    ) throws(DCNError) -> (values: Term, isInside: Term) {
        let isInside = try image.exists .& inside(y, height, reach) .& inside(x, width, reach)
        let rows = try axis(isInside.choosing(y, or: 0), height)
        let columns = try axis(isInside.choosing(x, or: 0), width)
        var plane = image.index
        if groups > 1, let group { plane = try plane * Double(groups) + group }
        let here = try isInside.cast(.float32)
        let (top, bottom) = (try plane * height + rows.low, try plane * height + rows.high)
        let (above, below) = (try (1 - rows.share) * here, try rows.share * here)
        func corner(_ line: Term, _ column: Term, _ weight: Term) throws(DCNError) -> Term {
            try self.rows.gather(line * width + column) * weight.unsqueezed(-1)
        }
        let upper =
            try corner(top, columns.low, above * (1 - columns.share))
            + corner(top, columns.high, above * columns.share)
        let lower =
            try corner(bottom, columns.low, below * (1 - columns.share))
            + corner(bottom, columns.high, below * columns.share)
        return (try upper + lower, isInside)
    }

    private func inside(_ place: Term, _ extent: Term, _ reach: Double) throws(DCNError) -> Term {
        let end = try extent.cast(.float32) - 1 + reach
        return try (place .>= -reach) .& (place .<= end)
    }

    private func axis(_ place: Term, _ extent: Term) throws(DCNError) -> (low: Term, high: Term, share: Term)
    {
        let last = try extent.cast(.float32) - 1
        let held = try place.atLeast(0).atMost(last)
        let low = try held.floored
        return (try low.cast(.int64), try (low + 1).atMost(last).cast(.int64), try held - low)
    }
}
