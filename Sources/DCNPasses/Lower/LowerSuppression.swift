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
            kept = try upright(boxes, scores, sets, classes)
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
        var isIn = try scores .> Double(leastScore)
        if (0..<classes).contains(background) {
            let others = (0..<classes).map { $0 != background }
            guard let mask = Tensor(extents: [1, classes, 1], others) else { return scores }
            isIn = try isIn .& sketch.constant(mask)
        }
        let open = try isIn.choosing(scores, or: Self.nothing)
        guard best >= 0 else { return open }
        let count = try open.length(2).atMost(sketch.integers([best]))
        let found = try sketch.best(open, count, axis: 2)
        let closed = try sketch.scalar(Self.nothing, .float32).expanded(open.shape())
        return try sketch.node(ScatterElements(axis: 2), closed, found.places, found.values)
    }

    /// The kept scores [B, C, N].
    private func upright(_ boxes: Term, _ scores: Term, _ sets: Int, _ classes: Int) throws(DCNError) -> Term
    {
        let sketch = boxes.sketch
        // Boxes of their own for each class make one image of each class.
        let own = sets > 1
        let extents = try Term.joined(
            [sketch.integers([-1]), boxes.length(1), sketch.integers([4])], axis: 0)
        let images = try own ? boxes.transpose([0, 2, 1, 3]).reshape(extents) : boxes.squeezed(2)
        let marks =
            try own
            ? scores.reshape(
                Term.joined([sketch.integers([-1, 1]), boxes.length(1)], axis: 0)) : scores
        let chosen = try sketch.suppressed(
            images, marks, threshold: sketch.floats([threshold]), least: sketch.floats([leastScore]))
        let closed = try sketch.scalar(Self.nothing, .float32).expanded(marks.shape())
        let kept = try sketch.node(ScatterND(), closed, chosen, marks.gatherND(chosen))
        return try own ? kept.reshape(scores.shape()) : kept
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
