internal import DCNGraph
internal import DCNOperators

extension TableSuppression: Lowerable {
    /// Each class becomes an image of its own, as its boxes depend on its scores.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let boxes = inputs[0], let scores = inputs[1] else { return nil }
        guard let batch = scores.extent(0), let classes = scores.extent(1), let count = scores.extent(2)
        else {
            throw sketch.refusal("needs known extents to be written in standard operators")
        }
        let sets = batch * classes, rows = sets * most(of: count)
        guard rows > 0 else { return [try sketch.missing(0)] }
        let wide = try corners(boxes).unsqueezed(1).expanded(sketch.integers([batch, classes, count, 4]))
            .reshape([sets, count, 4])
        let marks = try scores.reshape([sets, count])
        let chosen = try sketch.suppressed(
            held(wide, marks).opened(plus), marks.unsqueezed(1), threshold: sketch.floats([threshold]),
            limit: sketch.integers([most(of: count)]))
        let (set, box) = (try chosen.slice(1, from: 0, to: 1), try chosen.slice(1, from: 2, to: 3))
        let divisor = try sketch.scalar(Double(classes), .int64)
        let found = try Term.joined([set / divisor, sketch.node(Mod(), set, divisor), box], axis: 1)
        let all = try Term.joined([found.cast(.int32), sketch.missing(rows)], axis: 0)
        return [try all.slice(0, from: 0, to: rows)]
    }

    /// Boxes [sets, N, 4], those of low scores in the place of the best.
    private func held(_ boxes: Term, _ marks: Term) throws(DCNError) -> Term {
        guard leastScore > 0 else { return boxes }
        let sketch = boxes.sketch
        let first = try sketch.best(marks, sketch.integers([1]), axis: 1).places
        let best = try boxes.gatherND(first, batchAxes: 1).unsqueezed(1)
        return try (marks .< Double(leastScore)).unsqueezed(-1).choosing(best, boxes)
    }

    private func corners(_ boxes: Term) throws(DCNError) -> Term {
        guard isCentred else { return boxes }
        let (centre, size) = (try boxes.slice(2, from: 0, to: 2), try boxes.slice(2, from: 2))
        return try Term.joined([centre - size * 0.5, centre + size * 0.5], axis: 2)
    }
}

extension Sketch {
    /// Rows of −1.
    fileprivate func missing(_ rows: Int) throws(DCNError) -> Term {
        guard let table = Tensor(extents: [rows, 3], [Int32](repeating: -1, count: 3 * rows)) else {
            throw refusal("has no rows")
        }
        return constant(table)
    }
}
