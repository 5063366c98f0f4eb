internal import DCNGraph
internal import DCNOperators

extension Sketch {
    /// The standard's suppression on boxes [B, N, 4] and scores [B, C, N]: rows of (batch, class, box).
    func suppressed(
        _ boxes: Term, _ scores: Term, threshold: Term, least: Term? = nil, limit: Term? = nil
    ) throws(DCNError) -> Term {
        var inputs: [Term?] = [boxes, scores, limit, threshold] + (least.map { [$0] } ?? [])
        if limit == nil { inputs[2] = try boxes.length(1) }
        return try nodes(NonMaxSuppression(), inputs, outputs: 1)[0]
    }

    /// As many of the best as `count` says, and their places: sorted, of equal ones the first first.
    func best(_ values: Term, _ count: Term, axis: Int = -1) throws(DCNError) -> (values: Term, places: Term)
    {
        let found = try nodes(TopK(axis: axis), [values, count], outputs: 2)
        return (found[0], found[1])
    }
}

extension Term {
    /// Boxes (…, x1, y1, x2, y2) whose far edges belong to them, as boxes whose far edges don't.
    func opened(_ plus: Int) throws(DCNError) -> Term {
        plus == 0 ? self : try self + sketch.floats([0, 0, Float(plus), Float(plus)])
    }
}

extension BoxSuppression: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let boxes = inputs[0], let scores = inputs[1] else { return nil }
        let chosen = try sketch.suppressed(
            boxes.opened(plus).unsqueezed(0), scores.unsqueezed(0, 1), threshold: sketch.floats([threshold]))
        return [try chosen.column(2)]
    }
}

extension BatchedSuppression: Lowerable {
    /// Suppression of each class, the kept scores put back where they were, and the best of all of these.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let boxes = inputs[0], let given = inputs[1] else { return nil }
        guard let classes = given.extent(2), let sets = boxes.extent(2) else {
            throw sketch.refusal("needs a known number of classes to be written in standard operators")
        }
        let scores = try candidates(given.transpose([0, 2, 1]), classes)
        let kept: Term
        if isRotated {
            kept = try turned(boxes, scores, sets)
        } else {
            kept = try upright(boxes, scores, sets)
        }
        // [B, C·N] of scores, the lowest float where nothing is kept; classes first, as equal scores come out.
        let flat = try kept.reshape([0, -1])
        let room = try sketch.scalar(Self.nothing, .float32).expanded(
            Term.joined([flat.length(0), sketch.integers([keeps])], axis: 0))
        let (values, places) = try sketch.best(
            Term.joined([flat, room], axis: 1), sketch.integers([keeps]), axis: 1)
        let isThere = try values .> Self.nothing
        let place = try isThere.choosing(places, or: 0)
        let count = try boxes.size(1)
        let (label, index) = (try place / count, try sketch.node(Mod(), place, count))
        let item = try sets > 1 ? index * Double(sets) + label : index
        let corners = try boxes.reshape([0, -1, isRotated ? 5 : 4]).gatherND(
            item.unsqueezed(-1), batchAxes: 1)
        let held = try clips ? corners.atLeast(0).atMost(1) : corners
        let rows = try isThere.unsqueezed(-1).choosing(
            Term.joined([held, values.unsqueezed(-1)], axis: 2), or: 0)
        if isCounted {
            let marks = try isThere.choosing(values, or: 0)
            return Array(
                [
                    try isThere.cast(.int32).reduced(.sum, [1], keeps: true),
                    try isThere.unsqueezed(-1).choosing(held, or: 0), marks,
                    try isThere.choosing(label, or: -1).cast(.float32),
                ].prefix(outputs))
        }
        func marked(_ numbers: Term) throws(DCNError) -> Term {
            try isThere.choosing(numbers, or: -1).cast(.int32)
        }
        return Array([rows, try marked(label), try marked(index)].prefix(outputs))
    }

    /// Stands for a score that takes no part.
    private static let nothing = -Double(Float.greatestFiniteMagnitude)

    /// Scores [B, C, N] with those that take no part at the lowest float.
    private func candidates(_ scores: Term, _ classes: Int) throws(DCNError) -> Term {
        let sketch = scores.sketch
        let open = try (scores .> Double(leastScore)).choosing(scores, or: Self.nothing)
            .without(background, classes: classes, nothing: Self.nothing)
        guard best >= 0 else { return open }
        let count = try open.length(2).atMost(sketch.integers([best]))
        let found = try sketch.best(open, count, axis: 2)
        let closed = try sketch.scalar(Self.nothing, .float32).expanded(open.shape())
        return try sketch.node(ScatterElements(axis: 2), closed, found.places, found.values)
    }

    /// The kept scores [B, C, N].
    private func upright(_ boxes: Term, _ scores: Term, _ sets: Int) throws(DCNError) -> Term {
        guard plus == areaPlus else {
            throw boxes.sketch.refusal(
                "with inclusive areas of boxes that share exclusive ones has no standard spelling")
        }
        return try ordered(boxes).opened(plus).keptByClass(
            scores, sets: sets, threshold: threshold, least: Double(leastScore), nothing: Self.nothing)
    }

    /// Boxes whose first corner is the lesser, where edges are inclusive.
    private func ordered(_ boxes: Term) throws(DCNError) -> Term {
        guard plus > 0 else { return boxes }
        let (a, b) = (try boxes.slice(3, from: 0, to: 2), try boxes.slice(3, from: 2))
        return try Term.joined([a.atMost(b), a.atLeast(b)], axis: 3)
    }

    private func turned(_ boxes: Term, _ scores: Term, _ sets: Int) throws(DCNError) -> Term {
        guard sets == 1 else {
            throw boxes.sketch.refusal("with turned boxes for each class has no standard spelling")
        }
        let overlaps = try boxes.squeezed(2).turnedOverlaps()
        let greedy = try GreedySuppression(
            overlaps .> Double(threshold), scores, isAlive: scores .> Self.nothing)
        return try greedy.isKept.choosing(scores, or: Self.nothing)
    }
}
