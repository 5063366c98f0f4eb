internal import DCNGraph
internal import DCNOperators

/// Anchors of a grid and what a network says of each, image by image: cells first, anchors within.
private struct AnchorGrid {
    let extents: (images: Int, height: Int, width: Int)
    let anchors: [SIMD4<Float>]
    /// All anchors at all cells, [H·W·A, 4].
    let places: Term
    private let scores, deltas: Term

    init(_ anchors: [SIMD4<Float>], stride: Int, _ scores: Term, _ deltas: Term) throws(DCNError) {
        guard let images = scores.extent(0), let height = scores.extent(2), let width = scores.extent(3)
        else {
            throw scores.sketch.refusal("needs known extents to be written in standard operators")
        }
        extents = (images, height, width)
        self.anchors = anchors
        (self.scores, self.deltas) = (scores, deltas)
        let corners = (0..<height * width * anchors.count).flatMap { place -> [Float] in
            let (cell, anchor) = (place / anchors.count, anchors[place % anchors.count])
            let shift = [cell % width, cell / width].map { Float($0 * stride) }
            return (0..<4).map { anchor[$0] + shift[$0 % 2] }
        }
        places = scores.sketch.floats(corners, [height * width * anchors.count, 4])
    }

    var count: Int { extents.height * extents.width * anchors.count }

    /// Foreground scores [H·W·A] and displacements [H·W·A, 4] of one image.
    func image(_ number: Int) throws(DCNError) -> (scores: Term, deltas: Term) {
        let own = try scores.slice(0, from: number, to: number + 1).slice(1, from: anchors.count)
        let moves = try deltas.slice(0, from: number, to: number + 1)
            .reshape([anchors.count, 4, extents.height, extents.width])
        return (
            try own.transpose([2, 3, 1, 0]).reshape([-1]),
            try moves.transpose([2, 3, 0, 1]).reshape([-1, 4])
        )
    }

    /// The rows or columns of all places.
    func cells(_ axis: Int) -> Term {
        places.sketch.floats(
            (0..<count).map { place in
                let cell = place / anchors.count
                return Float(axis == 0 ? cell / extents.width : cell % extents.width)
            })
    }
}

extension Term {
    /// The first two and last two of four columns.
    fileprivate var halves: (low: Term, high: Term) {
        get throws(DCNError) { (try slice(1, from: 0, to: 2), try slice(1, from: 2)) }
    }

    /// Which of the sorted boxes with inclusive edges stay.
    fileprivate func kept(_ scores: Term, threshold: Float, limit: Int) throws(DCNError) -> Term {
        try sketch.suppressed(
            opened(1).unsqueezed(0), scores.unsqueezed(0, 1), threshold: sketch.floats([threshold]),
            limit: sketch.integers([limit])
        ).column(2)
    }
}

extension Proposal: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let scores = inputs[0], let deltas = inputs[1], let info = inputs[2] else { return nil }
        let grid = try AnchorGrid(anchorBoxes, stride: stride, scores, deltas)
        var (rows, marks): ([Term], [Term]) = ([], [])
        for image in 0..<grid.extents.images {
            let room = try info.slice(0, from: image, to: image + 1).reshape([3])
            let found = try propose(grid, image, room)
            let number = try found.boxes.slice(1, from: 0, to: 1) * 0 + Double(image)
            rows.append(try Term.joined([number, found.boxes], axis: 1))
            marks.append(try found.scores.unsqueezed(1))
        }
        return Array([try Term.joined(rows, axis: 0), try Term.joined(marks, axis: 0)].prefix(outputs))
    }

    /// As many boxes of one image as are wanted, the kept ones over and over, and their scores.
    private func propose(
        _ grid: AnchorGrid, _ image: Int, _ room: Term
    ) throws(DCNError) -> (boxes: Term, scores: Term) {
        let sketch = room.sketch
        let (score, delta) = try grid.image(image)
        let limits = try room.gather(sketch.integers([1, 0, 1, 0])) - 1
        let boxes = try decoded(grid.places, delta).atMost(limits).atLeast(0)
        func isOutside(_ axis: Int) throws(DCNError) -> Term {
            try grid.cells(axis) .>= (room.slice(0, from: axis, to: axis + 1) / Double(stride)).floored
        }
        let least = try room.slice(0, from: 2, to: 3) * Double(leastSize)
        let (low, high) = try boxes.halves
        let isSmall = try (high - low + 1 .< least).cast(.int32).reduced(.maximum, [1]).cast(.bool)
        let grown = try boxes + sketch.floats([-0.5, -0.5, 0.5, 0.5]) * least
        let final = try isSmall.unsqueezed(1).choosing(grown, boxes)
        let isOut = try isOutside(0) .| isOutside(1) .| isSmall
        let count = before > 0 ? min(before, grid.count) : grid.count
        let (best, order) = try sketch.best(
            isOut.negated.choosing(score, or: -1), sketch.integers([count]))
        let sorted = try final.gather(order)
        let chosen = try sorted.kept(best, threshold: threshold, limit: after)
        let turns = try sketch.node(Mod(), sketch.integers(Array(0..<after)), chosen.size(0).atLeast(1))
        let kept = try chosen.gather(turns)
        return (try sorted.gather(kept), try best.gather(kept))
    }

    private func decoded(_ boxes: Term, _ delta: Term) throws(DCNError) -> Term {
        guard !addsToCorners else { return try boxes + delta }
        let (low, high) = try boxes.halves
        let (move, growth) = try delta.halves
        let size = try high - low + 1
        let centre = try low + (size - 1) * 0.5 + move * size
        let half = try (size * growth.applying(Exp()) - 1) * 0.5
        return try Term.joined([centre - half, centre + half], axis: 1)
    }
}

extension AnchorProposal: Lowerable {
    /// Boxes a fraction of a cell apart count as apart here and not in the standard's suppression, where they overlap by
    /// less than one cell.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let scores = inputs[0], let deltas = inputs[1], let image = inputs[2] else { return nil }
        let shape = try image.reshape([-1])
        guard let numbers = shape.extent(0) else { throw sketch.refusal("needs a known image_shape") }
        let grid = try AnchorGrid(anchorBoxes, stride: stride, scores, deltas)
        let least = try shape.gather(sketch.integers([numbers > 3 ? 3 : 2, 2])) * Double(leastSize)
        let room = try shape.gather(sketch.integers([1, 0, 1, 0]))
        var (rows, marks): ([Term], [Term]) = ([], [])
        for image in 0..<grid.extents.images {
            let (score, delta) = try grid.image(image)
            let boxes = try decoded(grid.places, delta, room)
            let (low, high) = try boxes.halves
            let isLarge = try (high - low + 1 .>= least).cast(.int32).reduced(.minimum, [1]).cast(.bool)
            let (best, order) = try sketch.best(
                isLarge.choosing(score, or: 0), sketch.integers([min(before, grid.count)]))
            let sorted = try boxes.gather(order)
            let kept = try sorted.kept(best, threshold: threshold, limit: after)
            let place = sketch.integers(Array(0..<after))
            let count = try kept.size(0)
            let number = try (place .< count).choosing(
                sketch.floats([Float](repeating: Float(image), count: after)), or: 0)
            let marked = try number - (place .== count).cast(.float32)
            let corners = try filled(finished(sorted.gather(kept), room), [after, 4])
            rows.append(try Term.joined([marked.unsqueezed(1), corners], axis: 1))
            marks.append(try filled(best.gather(kept), [after]))
        }
        return Array([try Term.joined(rows, axis: 0), try Term.joined(marks, axis: 0)].prefix(outputs))
    }

    /// As many rows as are wanted, those that are missing zeros.
    private func filled(_ rows: Term, _ extents: [Int]) throws(DCNError) -> Term {
        let zeros = rows.sketch.floats([Float](repeating: 0, count: extents.reduce(1, *)), extents)
        return try Term.joined([rows, zeros], axis: 0).slice(0, from: 0, to: after)
    }

    private func decoded(_ boxes: Term, _ delta: Term, _ room: Term) throws(DCNError) -> Term {
        let (low, high) = try boxes.halves
        let (move, growth) = try delta.halves
        let size = try high - low + 1
        let centre = try low + size * 0.5 + move / Double(coordinateScale) * size
        let half = try size * (growth / Double(sizeScale)).applying(Exp()) * 0.5
        let result = try Term.joined([centre - half, centre + half], axis: 1)
        return try clipsBefore ? result.atMost(room - 1).atLeast(0) : result
    }

    private func finished(_ boxes: Term, _ room: Term) throws(DCNError) -> Term {
        let held = try clipsAfter ? boxes.atMost(room).atLeast(0) : boxes
        return try normalises ? held / room : held
    }
}

extension ListSuppression: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let data = inputs[0] else { return nil }
        guard let rank = data.type.shape?.rank, let columns = data.extent(rank - 1) else {
            throw sketch.refusal("needs a known number of columns to be written in standard operators")
        }
        // [B, N, K]
        let rows = try data.reshape(
            Term.joined([sketch.integers([-1]), data.length(rank - 2), sketch.integers([columns])], axis: 0))
        func column(_ index: Int) throws(DCNError) -> Term {
            try rows.slice(2, from: index, to: index + 1).squeezed(2)
        }
        let score = try column(scoreColumn)
        var isIn = try score .> Double(leastScore)
        if classColumn >= 0, background >= 0 {
            isIn = try isIn .& (column(classColumn) .== Double(background)).negated
        }
        let nothing = -Double(Float.greatestFiniteMagnitude)
        var open = try isIn.choosing(score, or: nothing)
        if best > 0 {
            let found = try sketch.best(open, open.length(1).atMost(sketch.integers([best])))
            let closed = try sketch.scalar(nothing, .float32).expanded(open.shape())
            open = try sketch.node(ScatterElements(axis: 1), closed, found.places, found.values)
        }
        let boxes = try corners(rows)
        var near = try boxes.overlaps(plus: 0) .> Double(threshold)
        if minds {
            let kind = try column(classColumn)
            near = try near .& (kind.unsqueezed(1) .== kind.unsqueezed(2))
        }
        let greedy = try GreedySuppression(near, open.unsqueezed(1), isAlive: (open .> nothing).unsqueezed(1))
        let final = try greedy.isKept.squeezed(1).choosing(open, or: nothing)
        let (values, order) = try sketch.best(final, final.length(1))
        let sorted = try converted(rows, boxes, columns).gatherND(order.unsqueezed(-1), batchAxes: 1)
        return [try (values .> nothing).unsqueezed(2).choosing(sorted, or: -1).reshape(data.shape())]
    }

    private func corners(_ rows: Term) throws(DCNError) -> Term {
        let (first, second) = (
            try rows.slice(2, from: boxColumn, to: boxColumn + 2),
            try rows.slice(2, from: boxColumn + 2, to: boxColumn + 4)
        )
        guard isCentred else { return try Term.joined([first, second], axis: 2) }
        return try Term.joined([first - second * 0.5, first + second * 0.5], axis: 2)
    }

    private func converted(_ rows: Term, _ boxes: Term, _ columns: Int) throws(DCNError) -> Term {
        guard isCentred != givesCentred else { return rows }
        var box = boxes
        if givesCentred {
            let (low, high) = (try boxes.slice(2, from: 0, to: 2), try boxes.slice(2, from: 2))
            box = try Term.joined([(low + high) * 0.5, high - low], axis: 2)
        }
        return try Term.joined(
            [rows.slice(2, from: 0, to: boxColumn), box, rows.slice(2, from: boxColumn + 4)], axis: 2)
    }
}
