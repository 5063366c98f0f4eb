internal import DCNGraph
internal import DCNOperators

extension Term {
    /// How far turned boxes [B, N, 5] of (cx, cy, w, h, radians) overlap each other: [B, N, N].
    ///
    /// The border of what two boxes share is made of the parts of each box's sides that lie in the other. By Green's
    /// theorem its area is half the sum of the cross products of their ends, about any one point: here the second
    /// box's centre. In double precision, and the second box a little larger, so that sides that lie on one another
    /// count once.
    func turnedOverlaps() throws(DCNError) -> Term {
        let first = try TurnedBoxes(unsqueezed(2)), second = try TurnedBoxes(unsqueezed(1), growth: 1e-7)
        let distance = (x: try first.x - second.x, y: try first.y - second.y)
        let own = try first.sides(about: distance, cutBy: second, at: nil)
        let other = try second.sides(about: nil, cutBy: first, at: distance)
        let shared = try (own + other) * 0.5
        let area = try first.area + second.area - shared
        return try (shared / area).cast(.float32)
    }
}

/// Boxes (cx, cy, w, h, radians) by their centres, half sizes and directions, each [B, …].
private struct TurnedBoxes {
    let x, y, halfWidth, halfHeight, cosine, sine, area: Term

    init(_ boxes: Term, growth: Double = 0) throws(DCNError) {
        let axis = (boxes.type.shape?.rank ?? 4) - 1
        func number(_ index: Int) throws(DCNError) -> Term {
            try boxes.slice(axis, from: index, to: index + 1).squeezed(axis)
        }
        func wide(_ index: Int) throws(DCNError) -> Term { try number(index).cast(.float64) }
        (x, y) = (try wide(0), try wide(1))
        area = try wide(2) * wide(3)
        halfWidth = try wide(2) * (0.5 + 0.5 * growth)
        halfHeight = try wide(3) * (0.5 + 0.5 * growth)
        let angle = try number(4)
        cosine = try angle.applying(Cos()).cast(.float64)
        sine = try angle.applying(Sin()).cast(.float64)
    }

    private typealias Point = (x: Term, y: Term)

    /// A point of this box's own frame, seen from the centre.
    private func turned(_ across: Term, _ down: Term) throws(DCNError) -> Point {
        (try across * cosine - down * sine, try across * sine + down * cosine)
    }

    /// Twice the area under the parts of the sides that lie in `other`, about a point that is `offset` from the centre;
    /// `place` is where this box's centre is seen from when the other's is not the point.
    func sides(about offset: (x: Term, y: Term)?, cutBy other: TurnedBoxes, at place: (x: Term, y: Term)?)
        throws(DCNError) -> Term
    {
        let (w, h) = (halfWidth, halfHeight)
        let corners = [
            try turned(w, h), try turned(w * -1, h), try turned(w * -1, h * -1), try turned(w, h * -1),
        ]
        var sum: Term?
        for index in corners.indices {
            var (from, to) = (corners[index], corners[(index + 1) % 4])
            if let offset {
                from = (try from.x + offset.x, try from.y + offset.y)
                to = (try to.x + offset.x, try to.y + offset.y)
            }
            let cross = try from.x * to.y - from.y * to.x
            // Seen from the other's centre.
            var (start, end) = (from, to)
            if let place {
                start = (try start.x - place.x, try start.y - place.y)
                end = (try end.x - place.x, try end.y - place.y)
            }
            let part = try cross * other.share(from: start, to: end)
            sum = try sum.map { (sum) throws(DCNError) in try sum + part } ?? part
        }
        guard let sum else { throw x.sketch.refusal("has no corners") }
        return sum
    }

    /// The share of a line between two points, seen from this box's centre, that lies in it.
    private func share(from: Point, to: Point) throws(DCNError) -> Term {
        var range: (low: Term, high: Term)?
        for (axis, half) in [halfWidth, halfHeight].enumerated() {
            func along(_ point: Point) throws(DCNError) -> Term {
                try axis == 0 ? point.x * cosine + point.y * sine : point.y * cosine - point.x * sine
            }
            let start = try along(from)
            let way = try along(to) - start
            // A line along the edge is in or out as a whole: a tiny way makes its ends far enough.
            let step = try (way.applying(Abs()) .< 1e-30).choosing(way * 0 + 1e-30, way)
            let (first, second) = (try (half * -1 - start) / step, try (half - start) / step)
            let (low, high) = (try first.atMost(second), try first.atLeast(second))
            if let known = range {
                range = (try known.low.atLeast(low), try known.high.atMost(high))
            } else {
                range = (low, high)
            }
        }
        guard let range else { throw x.sketch.refusal("has no sides") }
        return try (range.high.atMost(1) - range.low.atLeast(0)).atLeast(0)
    }
}

/// Boxes taken by descending scores, each unless one already taken suppresses it.
struct GreedySuppression {
    /// Whether boxes [B, C, N] are kept.
    let isKept: Term
    /// The rank of the box that suppressed each, int64 [B, C, N]; −1: none.
    let suppressor: Term
    /// The boxes by rank, int64 [B, C, N].
    let order: Term

    /// `suppresses` [B, N, N] says which box (axis 1) is too near to which (axis 2); only boxes that are alive take part.
    init(_ suppresses: Term, _ scores: Term, isAlive: Term? = nil) throws(DCNError) {
        let sketch = scores.sketch
        let count = try scores.size(2)
        order = try sketch.best(scores, scores.length(2), axis: 2).places
        let numbers = try sketch.range(count)
        let ranks = try sketch.node(
            ScatterElements(axis: 2), order, order, order * 0 + numbers)
        var alive = try ranks .>= 0
        if let isAlive { alive = isAlive }
        let none = try ranks * 0 - 1
        let suppressors = try sketch.loop(
            trips: count, carried: [none], captured: [suppresses, order, ranks, alive]
        ) { (_, trip, values) throws(DCNError) in
            let (suppressor, near, order) = (values[0], values[1], values[2])
            let (ranks, alive) = (values[3], values[4])
            let box = try order.gather(trip, axis: 2).unsqueezed(-1)
            let row = try near.gatherND(box, batchAxes: 1)
            let open = try alive .& (suppressor .< 0)
            let taken = try open.gatherND(box, batchAxes: 2).unsqueezed(-1)
            let hit = try row .& taken .& open .& (ranks .> trip)
            return [try trip .>= 0, try hit.choosing(trip, suppressor)]
        }
        suppressor = suppressors[0]
        isKept = try alive .& (suppressor .< 0)
    }
}

extension RotatedSuppression: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let boxes = inputs[0], let scores = inputs[1] else { return nil }
        let greedy = try GreedySuppression(boxes.turnedOverlaps() .> Double(threshold), scores)
        let wanted = try (greedy.isKept .& (scores .> Double(leastScore))).cast(.int32)
        let ranked = try sketch.node(GatherElements(axis: 2), wanted, greedy.order)
        let found = try ranked.applying(NonZero()).transpose([1, 0])
        let box = try greedy.order.gatherND(found).unsqueezed(1)
        return [try Term.joined([found.slice(1, from: 0, to: 2), box], axis: 1)]
    }
}

extension SuppressionMatch: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard inputs.count > 3, let boxes = inputs[0], let scores = inputs[1], let threshold = inputs[2],
            let least = inputs[3]
        else { return nil }
        let near = try boxes.overlaps(plus: 0, epsilon: 1e-10) .>= threshold.reshape([1])
        let greedy = try GreedySuppression(near, scores)
        // [B, C, kept rank, suppressed rank]; the order of results.
        let suppressor = try sketch.node(GatherElements(axis: 2), greedy.suppressor, greedy.order)
        let ranks = try sketch.range(scores.size(2)).reshape([1, 1, -1, 1])
        let pairs = try suppressor.unsqueezed(2) .== ranks
        let ranked = try sketch.node(GatherElements(axis: 2), scores, greedy.order)
        let wanted = try (ranked .> least.reshape([1])).unsqueezed(3) .& pairs
        let found = try wanted.applying(NonZero()).transpose([1, 0])
        let place = try found.slice(1, from: 0, to: 2)
        func box(_ column: Int) throws(DCNError) -> Term {
            let rank = try found.slice(1, from: column, to: column + 1)
            return try greedy.order.gatherND(Term.joined([place, rank], axis: 1)).unsqueezed(1)
        }
        return [try Term.joined([place, box(2), box(3)], axis: 1)]
    }
}
