internal import DCNGraph
internal import DCNOperators

extension ReferencedAttention: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        let terms = inputs.compactMap { $0 }
        guard terms.count == inputs.count, terms.count == 4 || terms.count == 5,
            let levels = terms[1].extent(0), let points = terms.last?.extent(3),
            let heads = terms[0].extent(2),
            let depth = terms[0].extent(3)
        else { throw sketch.refusal("needs a known number of levels, points, heads and channels") }
        let (value, marks) = (terms[0], terms[terms.count - 1])
        let shapes = try terms[1].cast(.int64)
        let split = [0, 0, heads, levels, points / levels]
        let places =
            try terms.count == 4
            ? (terms[2] + 1) * 0.5
            : located(terms[2], terms[3], shapes.cast(value.element), levels: levels, points: points)
        let weights = try terms.count == 4 ? marks : marks.applying(Softmax(axis: -1))
        let y = try sketch.node(
            DeformableAttention(), value, shapes, starts(shapes), places.reshape(split + [2]),
            weights.reshape(split))
        return [try y.reshape([0, 0, heads, depth])]
    }

    /// Offsets by their level's extents, about their points of reference: [N, Q, M, L, P / G, G, 2].
    private func located(
        _ references: Term, _ offsets: Term, _ shapes: Term, levels: Int, points: Int
    ) throws(DCNError) -> Term {
        let sketch = offsets.sketch
        guard let numbers = references.extent(3), numbers >= 2, numbers % 2 == 0,
            points % (levels * (numbers / 2)) == 0
        else { throw sketch.refusal("needs points that are a multiple of its points of reference") }
        let group = numbers / 2
        let extents = try shapes.gather(sketch.integers([1, 0]), axis: 1).reshape([1, 1, 1, levels, 1, 1, 2])
        let moves = try offsets.reshape([0, 0, 0, levels, -1, group, 2]) / extents
        return try references.reshape([0, 0, 1, 1, 1, group, 2]) + moves
    }

    /// Where each level begins.
    private func starts(_ shapes: Term) throws(DCNError) -> Term {
        let counts = try shapes.column(0) * shapes.column(1)
        let ends = try shapes.sketch.node(CumSum(), counts, shapes.sketch.scalar(0, .int64))
        return try ends - counts
    }
}
