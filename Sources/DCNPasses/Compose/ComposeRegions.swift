internal import DCNGraph
internal import DCNOperators

extension BestRegions: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        let terms = inputs.compactMap { $0 }
        let count = terms.count / 2
        let regions = try Term.joined(Array(terms.prefix(count)), axis: 0)
        let marks = try terms.suffix(count).map { (term) throws(DCNError) in try term.reshape([-1]) }
        let scores = try Term.joined(marks, axis: 0)
        let rows = try regions.length(0)
        let wanted = try limit > 0 ? rows.atMost(sketch.integers([limit])) : rows
        let best = try regions.gather(sketch.best(scores, wanted).places)
        guard isPadded else { return [best] }
        let extents = try Term.joined([sketch.integers([limit]), regions.length(1)], axis: 0)
        let zeros = try sketch.scalar(0, regions.element).expanded(extents)
        return [try Term.joined([best, zeros], axis: 0).slice(0, from: 0, to: limit)]
    }
}

extension PriorGrid: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let priors = inputs[0], let map = inputs[1], let image = inputs[2] else { return nil }
        func places(_ axis: Int, _ count: Int, _ step: Float) throws(DCNError) -> Term {
            let cells = try count > 0 ? sketch.scalar(Double(count), .int64) : map.size(axis)
            let length =
                try step != 0
                ? sketch.scalar(Double(step), .float32)
                : image.size(axis).cast(.float32) / cells.cast(.float32)
            return try ((sketch.range(cells).cast(.float32) + 0.5) * length).cast(priors.element)
        }
        let (rows, columns) = (try places(2, height, stepY), try places(3, width, stepX))
        // [H, W, 1] each.
        let zeros = try rows.unsqueezed(1, 2) * 0 + columns.unsqueezed(0, 2) * 0
        let (x, y) = (try columns.unsqueezed(0, 2) + zeros, try rows.unsqueezed(1, 2) + zeros)
        let grid = try Term.joined([x, y, x, y], axis: 2).unsqueezed(2) + priors
        return [try isFlat ? grid.reshape([-1, 4]) : grid]
    }
}

extension BoxTransform: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let regions = inputs[0], let deltas = inputs[1], let images = inputs[2] else { return nil }
        guard let columns = regions.extent(1) else {
            throw sketch.refusal("needs to know whether regions have images")
        }
        let image = try columns == 5 ? regions.column(0).cast(.int64) : nil
        // [R or 1, 3]
        let info = try image.map { (image) throws(DCNError) in try images.gather(image) } ?? images
        let scale = try info.slice(1, from: 2, to: 3).unsqueezed(1)
        let rounded = try (info.slice(1, from: 0, to: 2).unsqueezed(1) / scale + 0.5).cast(.int64)
            .cast(regions.element)
        let room = try rounded.gather(sketch.integers([1, 0]), axis: 2) - Double(plus)
        let corners = try (columns == 5 ? regions.slice(1, from: 1) : regions).unsqueezed(1) / scale
        let boxes = try displaced(corners, deltas.reshape([0, -1, 4]), room)
        let result = try (scales ? boxes * scale : boxes).reshape(deltas.shape())
        guard outputs > 1 else { return [result] }
        return [result, try counts(image, regions, images)]
    }

    private func displaced(_ corners: Term, _ deltas: Term, _ room: Term) throws(DCNError) -> Term {
        let sketch = corners.sketch
        let (low, high) = (try corners.slice(2, from: 0, to: 2), try corners.slice(2, from: 2))
        let divisors = try sketch.floats(weights).cast(corners.element)
        let moves = try deltas / divisors
        let size = try high - low + Double(plus)
        let centre = try moves.slice(2, from: 0, to: 2) * size + (low + size * 0.5)
        let growth = try moves.slice(2, from: 2).atMost(Self.greatestGrowth).applying(Exp())
        let half = try growth * size * 0.5
        func cut(_ corner: Term) throws(DCNError) -> Term { try corner.atMost(room).atLeast(0) }
        return try Term.joined([cut(centre - half), cut(centre + half - Double(plus))], axis: 2)
    }

    /// The regions of each image.
    private func counts(_ image: Term?, _ regions: Term, _ images: Term) throws(DCNError) -> Term {
        guard let image else { return try regions.length(0).cast(regions.element) }
        let isOwn = try image.unsqueezed(0) .== images.sketch.range(images.size(0)).unsqueezed(1)
        return try isOwn.cast(regions.element).reduced(.sum, [1])
    }

    /// ln(1000 / 16).
    private static let greatestGrowth = 4.135166556742356
}

extension RegionLevels: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let rois = inputs[0] else { return nil }
        guard let columns = rois.extent(1) else {
            throw sketch.refusal("needs to know whether regions have images")
        }
        let zeros = try rois.slice(1, from: 0, to: 1) * 0
        let regions = try columns == 5 ? rois : Term.joined([zeros, rois], axis: 1)
        func side(_ index: Int) throws(DCNError) -> Term {
            try regions.column(index + 3) - regions.column(index + 1) + Double(plus)
        }
        let area = try side(0) * side(1)
        // A maximum would keep NaN, which belongs to no level.
        let share = try (area .> 0).choosing(area, or: 0).applying(Sqrt()) / Double(canonicalSize) + 1e-6
        let power = try share.applying(Log()) / Self.logarithmOfTwo + Double(canonicalLevel)
        let level = try power.floored.atLeast(Double(first)).atMost(Double(last))
        let orders = try (first...last).map { (number) throws(DCNError) in
            try (level .== Double(number)).applying(NonZero()).reshape([-1])
        }
        let parts = try orders.map { (order) throws(DCNError) in try regions.gather(order) }
        let places = try Term.joined(orders, axis: 0)
        let order = try sketch.node(ScatterElements(), places, places, sketch.range(rois.size(0)))
        return Array((parts + [try order.cast(.int32)]).prefix(outputs))
    }

    private static let logarithmOfTwo = 0.693147180559945309417232121458
}
