internal import DCNGraph
internal import DCNOperators

extension Term {
    /// Boxes [B, N, S, 4] of one set (S = 1) or one for each class, scores [B, C, N], those that take no part `nothing`; the scores that
    /// are kept, the others `nothing`.
    func keptByClass(
        _ scores: Term, sets: Int, threshold: Float, least: Double, nothing: Double
    ) throws(DCNError) -> Term {
        // Boxes of their own for each class make one image of each class.
        let own = sets > 1
        let extents = try Term.joined([sketch.integers([-1]), length(1), sketch.integers([4])], axis: 0)
        let images = try own ? transpose([0, 2, 1, 3]).reshape(extents) : squeezed(2)
        let rows = try Term.joined([sketch.integers([-1, 1]), length(1)], axis: 0)
        let marks = try own ? scores.reshape(rows) : scores
        let chosen = try sketch.suppressed(
            images, marks, threshold: sketch.floats([threshold]), least: sketch.floats([Float(least)]))
        let closed = try sketch.scalar(nothing, .float32).expanded(marks.shape())
        let kept = try sketch.node(ScatterND(), closed, chosen, marks.gatherND(chosen))
        return try own ? kept.reshape(scores.shape()) : kept
    }

    /// Scores [B, C, N] with all of one class `nothing`.
    func without(_ background: Int, classes: Int, nothing: Double) throws(DCNError) -> Term {
        guard (0..<classes).contains(background),
            let mask = Tensor(extents: [1, classes, 1], (0..<classes).map { $0 != background })
        else { return self }
        return try sketch.constant(mask).choosing(self, or: nothing)
    }
}

extension RankedSuppression: Lowerable {
    private static let nothing = -Double(Float.greatestFiniteMagnitude)

    /// Suppression of each class, or of boxes times classes, and the best of what is kept; "at least" is more than the float below.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let given = inputs[0], let marks = inputs[1], let rank = given.type.shape?.rank else {
            return nil
        }
        guard let classes = marks.extent(2), let sets = rank == 4 ? given.extent(2) : 1 else {
            throw sketch.refusal("needs a known number of classes to be written in standard operators")
        }
        guard let count = marks.extent(1), count * classes <= 4096 else {
            throw sketch.refusal(
                "of more than 4096 scores, or of an unknown number, has no standard spelling")
        }
        let boxes = try corners(rank == 4 ? given : given.unsqueezed(2), inputs.count > 2 ? inputs[2] : nil)
        let scores = try (marks.type.shape?.rank == 4 ? marks.squeezed(3) : marks).transpose([0, 2, 1])
        let open = try (scores .>= Double(least)).choosing(scores, or: Self.nothing)
            .without(background, classes: classes, nothing: Self.nothing)
        // [B, N·C], boxes first, as equal scores come out.
        let flat = try kept(boxes, open, sets, classes).reshape([0, -1])
        let room = try sketch.scalar(Self.nothing, .float32).expanded(
            Term.joined([flat.length(0), sketch.integers([keeps])], axis: 0))
        let (values, places) = try sketch.best(
            Term.joined([flat, room], axis: 1), sketch.integers([keeps]), axis: 1)
        let isThere = try values .> Self.nothing
        let place = try isThere.choosing(places, or: 0)
        let number = try sketch.scalar(Double(classes), .int64)
        let (index, label) = (try place / number, try sketch.node(Mod(), place, number))
        if givesIndices { return [try rows(isThere, label, index)] }
        let found = try boxes.reshape([0, -1, 4]).gatherND(
            (sets > 1 ? place : index).unsqueezed(-1), batchAxes: 1)
        let final = try hasLogits ? values.applying(Sigmoid()) : values
        return Array(
            [
                try isThere.cast(.int32).reduced(.sum, [1], keeps: true),
                try isThere.unsqueezed(-1).choosing(found, or: 0), try isThere.choosing(final, or: 0),
                try isThere.choosing(label, or: 0).cast(.int32),
            ].prefix(outputs))
    }

    /// The kept scores [B, N, C].
    private func kept(_ boxes: Term, _ scores: Term, _ sets: Int, _ classes: Int) throws(DCNError) -> Term {
        let least = Double(-Float.greatestFiniteMagnitude)
        guard acrossClasses else {
            return try boxes.keptByClass(
                scores, sets: sets, threshold: threshold.nextDown, least: least, nothing: Self.nothing
            ).transpose([0, 2, 1])
        }
        let sketch = boxes.sketch
        let ones = sketch.floats([Float](repeating: 1, count: classes), [1, 1, classes, 1])
        let all = try (sets > 1 ? boxes : boxes * ones).reshape([0, -1, 1, 4])
        let flat = try scores.transpose([0, 2, 1]).reshape([0, 1, -1])
        return try all.keptByClass(
            flat, sets: 1, threshold: threshold.nextDown, least: least, nothing: Self.nothing)
    }

    private func corners(_ boxes: Term, _ anchors: Term?) throws(DCNError) -> Term {
        func halves(_ term: Term) throws(DCNError) -> (Term, Term) {
            (try term.slice(3, from: 0, to: 2), try term.slice(3, from: 2))
        }
        func upright(_ term: Term) throws(DCNError) -> Term {
            let (a, b) = try halves(term)
            return try Term.joined([a.atMost(b), a.atLeast(b)], axis: 3)
        }
        guard isCentred else {
            guard let anchors else { return boxes }
            return try upright(boxes) + upright(anchors.unsqueezed(2))
        }
        var (centre, size) = try halves(boxes)
        if let anchors {
            let (own, extent) = try halves(anchors.unsqueezed(2))
            (centre, size) = (try centre * extent + own, try size.applying(Exp()) * extent)
        }
        return try Term.joined([centre - size * 0.5, centre + size * 0.5], axis: 3)
    }

    /// (image, class, box) of what is there, the last of these repeated.
    private func rows(_ isThere: Term, _ label: Term, _ index: Term) throws(DCNError) -> Term {
        let sketch = isThere.sketch
        let image = try sketch.range(isThere.size(0)).unsqueezed(1) + label * 0
        let columns = try [image, label, index].map { (term) throws(DCNError) in try term.reshape([-1, 1]) }
        let found = try Term.joined(columns, axis: 1).gather(
            isThere.reshape([-1]).applying(NonZero()).reshape([-1]))
        let none = sketch.constant(
            Tensor(extents: [1, 3], [Int64(-1), -1, -1]) ?? Tensor(vector: [Int64(-1)]))
        let table = try Term.joined([none, found], axis: 0)
        let count = try isThere.shape().reduced(.product, [0])
        return try table.gather((sketch.range(count) + 1).atMost(found.size(0))).cast(.int32)
    }
}
