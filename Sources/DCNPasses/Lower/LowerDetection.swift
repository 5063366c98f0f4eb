internal import DCNGraph
internal import DCNOperators

extension Term {
    /// The first two and the last two of four entries of the last axis.
    var corners: (low: Term, high: Term) {
        get throws(DCNError) {
            let axis = (type.shape?.rank ?? 1) - 1
            return (try slice(axis, from: 0, to: 2), try slice(axis, from: 2))
        }
    }

    /// Boxes (…, x1, y1, x2, y2) moved by shares of their size and grown by powers of e not above `growth`.
    func displaced(by deltas: Term, plus: Int, growth: Double) throws(DCNError) -> Term {
        let ((low, high), (move, power)) = (try corners, try deltas.corners)
        let size = try high - low + Double(plus)
        let centre = try move * size + (low + size * 0.5)
        let half = try power.atMost(growth).applying(Exp()) * size * 0.5
        let axis = (type.shape?.rank ?? 1) - 1
        return try Term.joined([centre - half, centre + half - Double(plus)], axis: axis)
    }

    /// As many rows as are said, those that are missing zeros.
    func filled(to count: Int) throws(DCNError) -> Term {
        let rest = try Term.joined([sketch.integers([count]), shape(1..<(type.shape?.rank ?? 1))], axis: 0)
        let zeros = try sketch.scalar(0, element).expanded(rest)
        return try Term.joined([self, zeros], axis: 0).slice(0, from: 0, to: count)
    }
}

/// ln(1000 / 16).
private let greatestGrowth = 4.135166556742356

extension PriorBox: Lowerable {
    /// A constant, as extents are known.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let map = inputs[0]?.type.extents, map.count >= 2,
            let room = image ?? (inputs.count > 1 ? inputs[1]?.type.extents?.suffix(2).reversed() : nil)
        else { throw sketch.refusal("needs known extents to be written in standard operators") }
        let (height, width) = (map[map.count - 2], map[map.count - 1])
        let numbers = table(height: height, width: width, image: room)
        return [sketch.floats(numbers, (isFlat ? [] : [1]) + [2, numbers.count / 2])]
    }
}

extension RegionProposals: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        let terms = inputs.compactMap { $0 }
        guard terms.count == 4, let rank = terms[0].type.shape?.rank else { return nil }
        let (scores, deltas) = (terms[0], terms[1])
        guard let images = rank == 3 ? 1 : scores.extent(0), let anchors = scores.extent(rank - 3),
            let height = scores.extent(rank - 2), let width = scores.extent(rank - 1)
        else { throw sketch.refusal("needs known extents to be written in standard operators") }
        let places = try places(terms[3], anchors, height, width)
        var parts: [(boxes: Term, scores: Term)] = []
        for image in 0..<images {
            func own(_ term: Term) throws(DCNError) -> Term {
                try rank == 3 ? term : term.slice(0, from: image, to: image + 1)
            }
            // Cells first, but where the first anchor of all cells comes first among equals.
            let order = form == .listed ? [0, 1, 2] : [1, 2, 0]
            let marks = try own(scores).reshape([anchors, height, width]).transpose(order).reshape([-1])
            let moves = try own(deltas).reshape([anchors, 4, height, width])
                .transpose(form == .listed ? [0, 2, 3, 1] : [2, 3, 0, 1]).reshape([-1, 4])
            let info = try own(terms[2]).reshape([-1])
            parts.append(try propose(places, marks, moves, info, anchors * height * width))
        }
        return try tables(parts, sketch, outputs)
    }

    /// Anchors of all cells, [H·W·A, 4], in the order of the scores.
    private func places(_ anchors: Term, _ count: Int, _ height: Int, _ width: Int) throws(DCNError) -> Term {
        guard let rows = anchors.extent(0), rows == count || rows == count * height * width else {
            throw anchors.sketch.refusal(
                "needs a known number of anchors to be written in standard operators")
        }
        guard rows == count else { return anchors }
        let cells = (0..<height * width).flatMap { cell in
            [cell % width, cell / width, cell % width, cell / width].map { Float($0) * stride }
        }
        let shifts = anchors.sketch.floats(cells, [height * width, 4])
        let first = form == .listed
        return try (anchors.unsqueezed(first ? 1 : 0) + shifts.unsqueezed(first ? 0 : 1)).reshape([-1, 4])
    }

    private func propose(
        _ places: Term, _ marks: Term, _ moves: Term, _ info: Term, _ count: Int
    ) throws(DCNError) -> (boxes: Term, scores: Term) {
        let sketch = places.sketch
        let room = try info.gather(sketch.integers([1, 0, 1, 0]))
        let all = try places.displaced(by: moves, plus: plus, growth: greatestGrowth)
            .atMost(room - Double(plus)).atLeast(0)
        let isLarge = try isLarge(all, info)
        let open = try form == .padded ? isLarge.choosing(marks, or: 0) : marks
        let wanted = before > 0 ? min(before, count) : count
        let (best, order) = try sketch.best(open, sketch.integers([wanted]))
        var (boxes, scores) = (try all.gather(order), best)
        if form != .padded {
            let own = try isLarge.gather(order).applying(NonZero()).reshape([-1])
            (boxes, scores) = (try boxes.gather(own), try scores.gather(own))
        }
        if form == .listed, plus == 0 {
            let own = try firstWithoutArea(boxes).applying(NonZero()).reshape([-1])
            (boxes, scores) = (try boxes.gather(own), try scores.gather(own))
        }
        let limit = try after > 0 ? sketch.integers([after]) : boxes.length(0)
        let kept = try sketch.suppressed(
            boxes.opened(form == .padded ? 0 : plus).unsqueezed(0), scores.unsqueezed(0, 1),
            threshold: sketch.floats([threshold]), limit: limit
        ).column(2)
        return (try boxes.gather(kept), try scores.gather(kept))
    }

    private func isLarge(_ boxes: Term, _ info: Term) throws(DCNError) -> Term {
        let (low, high) = try boxes.corners
        let size = try high - low + Double(plus)
        var least = try info.slice(0, from: 0, to: 1) * 0 + Double(leastSize)
        if form != .padded, let numbers = info.extent(0), numbers > 2 {
            least = try info.gather(info.sketch.integers([numbers > 3 ? 3 : 2, 2])) * Double(leastSize)
        }
        var isIn = try size .>= least
        if form == .listed {
            isIn = try isIn .& (low + size * 0.5 .< info.gather(info.sketch.integers([1, 0])))
        }
        return try isIn.cast(.int32).reduced(.minimum, [1]).cast(.bool)
    }

    /// Boxes without area drop each other: whether a box has one, or is the first that has none.
    private func firstWithoutArea(_ boxes: Term) throws(DCNError) -> Term {
        let (low, high) = try boxes.corners
        let isFlat = try (high - low .> 0).cast(.int32).reduced(.minimum, [1]).cast(.bool).negated
        let number = try boxes.sketch.node(CumSum(), isFlat.cast(.int32), boxes.sketch.scalar(0, .int64))
        return try isFlat.negated .| (number .< 2)
    }

    private func tables(
        _ parts: [(boxes: Term, scores: Term)], _ sketch: Sketch, _ outputs: Int
    ) throws(DCNError) -> [Term] {
        var (rows, counts): ([Term], [Term]) = ([], [])
        for (image, part) in parts.enumerated() {
            let number = try part.boxes.slice(1, from: 0, to: 1) * 0 + Double(image)
            rows.append(try form == .listed ? Term.joined([number, part.boxes], axis: 1) : part.boxes)
            counts.append(try part.boxes.length(0))
        }
        let (boxes, scores) = (try Term.joined(rows, axis: 0), try Term.joined(parts.map(\.scores), axis: 0))
        guard form != .padded else {
            return Array([try boxes.filled(to: after), try scores.filled(to: after)].prefix(outputs))
        }
        return Array([boxes, scores, try Term.joined(counts, axis: 0)].prefix(outputs))
    }
}

extension ClassDetections: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        let terms = inputs.compactMap { $0 }
        guard terms.count == 4, let classes = terms[2].extent(1) else {
            throw sketch.refusal("needs a known number of classes to be written in standard operators")
        }
        let (regions, marks) = (terms[0], terms[2])
        let room = try terms[3].reshape([-1]).gather(sketch.integers([1, 0, 1, 0]))
        // [R, C, 4]
        let boxes = try regions.unsqueezed(1).displaced(
            by: terms[1].reshape([0, classes, 4]) / sketch.floats(weights), plus: 1, growth: Double(growth)
        ).atMost(room).atLeast(0)
        let (low, high) = try regions.corners
        let hasArea = try (high .> low).cast(.int32).reduced(.minimum, [1]).cast(.bool)
        let nothing = -Double(Float.greatestFiniteMagnitude)
        let open = try hasArea.unsqueezed(1).choosing(marks, or: nothing).transpose([1, 0]).unsqueezed(1)
        let limit = try best < 0 ? boxes.length(0) : sketch.integers([best])
        // Every class an image of its own: rows of (class, 0, region); the first class is the background.
        let chosen = try sketch.suppressed(
            boxes.transpose([1, 0, 2]).opened(1), open, threshold: sketch.floats([threshold]),
            least: sketch.floats([leastScore]), limit: limit)
        let kept = try chosen.gather((chosen.column(0) .> 0).applying(NonZero()).reshape([-1]))
        let (label, region) = (try kept.column(0), try kept.column(2))
        let scores = try marks.gatherND(Term.joined([region.unsqueezed(1), label.unsqueezed(1)], axis: 1))
        // By class and score as they are, but by score alone where there are too many.
        let count = try kept.size(0)
        let key = try (count .> Double(keeps)).choosing(
            scores, sketch.range(count).cast(.float32) * -1)
        let order = try sketch.best(key, kept.length(0).atMost(sketch.integers([keeps]))).places
        let place = try Term.joined([region.unsqueezed(1), label.unsqueezed(1)], axis: 1).gather(order)
        return Array(
            [
                try boxes.gatherND(place).filled(to: keeps),
                try label.gather(order).cast(.int32).filled(to: keeps),
                try scores.gather(order).filled(to: keeps),
            ].prefix(outputs))
    }
}
