internal import DCNGraph
internal import DCNOperators

extension PriorDetection: Lowerable {
    private static let nothing = -Double(Float.greatestFiniteMagnitude)

    /// Decoding by arithmetic, suppression of each class, and the best of each image.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let loc = inputs[0], let conf = inputs[1], let given = inputs[2] else { return nil }
        guard !takesBestClass, inputs.count < 4 else {
            throw sketch.refusal(
                "of two stages, or of the best class of each prior, has no standard spelling")
        }
        guard let table = given.type.extents, let marks = conf.type.extents, let images = loc.extent(0) else {
            throw sketch.refusal("needs known extents to be written in standard operators")
        }
        let step = extents == nil ? 4 : 5
        let rows = encodesVariances ? 1 : 2
        let count = table.count == 2 ? table[1] / step : table[2...].reduce(1, *) / step
        guard table.count == 2 ? table[0] == rows : table[1] == rows, count > 0, images > 0 else {
            throw sketch.refusal("with priors of another shape has no standard spelling")
        }
        let classes = marks.reduce(1, *) / images / count
        let sets = sharesBoxes ? 1 : classes
        let priors = try given.reshape([-1, rows, count * step])
        let boxes = try decoded(loc.reshape([images, count, sets, 4]), priors, count, step)
        let raw = try conf.reshape([images, count, classes]).transpose([0, 2, 1])
        let scores = try hasLogits ? raw.applying(Sigmoid()) : raw
        let open = try candidates(scores, classes, count)
        let kept = try boxes.opened(plus).keptByClass(
            open, sets: sets, threshold: threshold, least: Double(leastScore), nothing: Self.nothing)
        let found = Found(
            boxes: boxes, kept: kept, images: images, count: count, classes: classes, sets: sets)
        return Array(try tables(found, sketch).prefix(outputs))
    }

    private struct Found {
        let boxes, kept: Term
        let images, count, classes, sets: Int
    }

    /// Boxes [N, P, L, 4].
    private func decoded(_ loc: Term, _ priors: Term, _ count: Int, _ step: Int) throws(DCNError) -> Term {
        let sketch = loc.sketch
        var prior = try priors.slice(1, from: 0, to: 1).reshape([-1, count, 1, step]).slice(3, from: step - 4)
        if let extents { prior = try prior / sketch.floats(extents + extents) }
        let variance =
            try encodesVariances
            ? sketch.floats(variances)
            : priors.slice(1, from: 1, to: 2).slice(2, from: 0, to: count * 4).reshape([-1, count, 1, 4])
        var delta = loc
        if coding == .turned { delta = try delta.gather(sketch.integers([1, 0, 3, 2]), axis: 3) }
        let (scaled, (low, high)) = (try delta * variance, try prior.corners)
        let size = try high - low
        let box: Term
        switch coding {
        case .corner: box = try prior + scaled
        case .size: box = try prior + scaled * Term.joined([size, size], axis: 3)
        case .centre, .turned:
            let (move, growth) = try scaled.corners
            let (centre, half) = (
                try move * size + (low + high) * 0.5, try growth.applying(Exp()) * size * 0.5
            )
            box = try Term.joined([centre - half, centre + half], axis: 3)
        }
        return try clipsBefore ? box.atMost(1).atLeast(0) : box
    }

    /// Scores [N, C, P] with those that take no part at the lowest float.
    private func candidates(_ scores: Term, _ classes: Int, _ count: Int) throws(DCNError) -> Term {
        let sketch = scores.sketch
        let open = try (scores .> Double(leastScore)).choosing(scores, or: Self.nothing)
            .without(background, classes: classes, nothing: Self.nothing)
        guard best >= 0, best < count else { return open }
        let found = try sketch.best(open, sketch.integers([best]), axis: 2)
        let closed = try sketch.scalar(Self.nothing, .float32).expanded(open.shape())
        return try sketch.node(ScatterElements(axis: 2), closed, found.places, found.values)
    }

    private func tables(_ found: Found, _ sketch: Sketch) throws(DCNError) -> [Term] {
        // [N, C·P], classes first, and room for as many as are wanted.
        let all = found.classes * found.count
        let flat = try found.kept.reshape([found.images, all])
        let wanted = keeps >= 0 ? keeps : all
        let closed = sketch.floats(
            [Float](repeating: Float(Self.nothing), count: found.images * wanted), [found.images, wanted])
        let (values, places) = try sketch.best(
            Term.joined([flat, closed], axis: 1), sketch.integers([wanted]), axis: 1)
        let isThere = try values .> Self.nothing
        let place = try isThere.choosing(places, or: 0)
        let number = try sketch.scalar(Double(found.count), .int64)
        let (label, prior) = (try place / number, try sketch.node(Mod(), place, number))
        let item = try found.sets > 1 ? prior * Double(found.sets) + label : prior
        let corners = try found.boxes.reshape([found.images, -1, 4]).gatherND(
            item.unsqueezed(2), batchAxes: 1)
        let boxes = try clipsAfter || form == .ranked ? corners.atMost(1).atLeast(0) : corners
        let image = try sketch.range(sketch.scalar(Double(found.images), .int64)).unsqueezed(1) + label * 0
        let columns = try [image.cast(.float32), label.cast(.float32), values].map {
            (term) throws(DCNError) in
            try term.unsqueezed(2)
        }
        let rows = try Term.joined(columns + [boxes], axis: 2)
        switch form {
        case .ranked:
            let first = try image.cast(.float32).unsqueezed(2)
            let blank = try Term.joined(
                [first, first * 0 - 1] + [Term](repeating: first * 0, count: 5), axis: 2)
            let counts = try isThere.cast(.int32).reduced(.sum, [1]).reshape([found.images, 1, 1, 1])
            return [try isThere.unsqueezed(2).choosing(rows, blank).unsqueezed(1), counts]
        case .listed: return [try present(rows, isThere).slice(1, from: 1).unsqueezed(0)]
        case .grouped:
            let grouped = try byClass(rows, isThere, label, places, values, found, wanted)
            let most = found.images * room(found.count, found.classes)
            let end = sketch.floats([-1, 0, 0, 0, 0, 0, 0], [1, 7])
            let filled = try Term.joined([grouped, end], axis: 0).filled(to: most)
            return [try filled.unsqueezed(0, 1)]
        }
    }

    private func room(_ priors: Int, _ classes: Int) -> Int {
        keeps > 0 ? keeps : best > 0 ? best * classes : priors * classes
    }

    /// The rows that are there, image by image.
    private func present(_ rows: Term, _ isThere: Term) throws(DCNError) -> Term {
        let order = try isThere.reshape([-1]).applying(NonZero()).reshape([-1])
        return try rows.reshape([-1, 7]).gather(order)
    }

    /// The rows that are there by image and class; within a class they are by score already.
    private func byClass(
        _ rows: Term, _ isThere: Term, _ label: Term, _ places: Term, _ values: Term, _ found: Found,
        _ wanted: Int
    ) throws(DCNError) -> Term {
        guard wanted > 0 else { return try present(rows, isThere) }
        let rank = rows.sketch.integers(Array(0..<wanted))
        let key = try (label * Double(wanted) + rank) * -1
        let hidden = try isThere.choosing(key, or: -Double(1 << 40))
        let order = try rows.sketch.best(hidden, rows.sketch.integers([wanted]), axis: 1).places
        let sorted = try rows.gatherND(order.unsqueezed(2), batchAxes: 1)
        return try present(
            sorted, isThere.cast(.int32).gatherND(order.unsqueezed(2), batchAxes: 1).cast(.bool))
    }
}
