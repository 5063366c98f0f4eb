internal import DCNGraph
internal import DCNOperators

extension HeatmapKeypoint: Lowerable {
    /// The greatest cells by ArgMax, their neighbours by gathers, the quadratic by arithmetic.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let maps = inputs[0], let boxes = inputs[1] else { return nil }
        guard let size = maps.extent(2), let points = maps.extent(1) else {
            throw sketch.refusal("needs maps of a known size to be written in standard operators")
        }
        // [R·K, S·S]
        let cells = try maps.reshape([-1, size * size])
        let place = try cells.applying(ArgExtreme(least: false, axis: 1, keepsDimensions: false))
        let extent = try sketch.scalar(Double(size), .int64)
        let (row, column) = (try place / extent, try sketch.node(Mod(), place, extent))
        func f(_ x: Int, _ y: Int) throws(DCNError) -> Term {
            let (i, j) = (try mirrored(row, y, size), try mirrored(column, x, size))
            return try cells.gatherND((i * Double(size) + j).unsqueezed(1), batchAxes: 1)
        }
        let middle = try f(0, 0)
        let (left, right, up, down) = (try f(-1, 0), try f(1, 0), try f(0, -1), try f(0, 1))
        let (bx, by) = (try (left - right) * 0.5, try (up - down) * 0.5)
        let (xx, yy) = (try left - middle * 2 + right, try up - middle * 2 + down)
        let xy = try (f(1, 1) - f(-1, 1) - f(1, -1) + f(-1, -1)) * 0.25
        let determinant = try xx * yy - xy * xy
        let isCurved = try determinant.applying(Abs()) .>= 1e-4
        let divisor = try isCurved.choosing(determinant, or: 1)
        var (dx, dy) = (try (yy * bx - xy * by) / divisor, try (xx * by - xy * bx) / divisor)
        let reach = try dx.applying(Abs()).atLeast(dy.applying(Abs())).atLeast(1.5) / 1.5
        (dx, dy) = (try isCurved.choosing(dx / reach, or: 0), try isCurved.choosing(dy / reach, or: 0))
        let bend = try (dx * (xx * dx + xy * dy) + dy * (xy * dx + yy * dy)) * 0.5 - bx * dx - by * dy
        let share = try givesShares ? shares(cells) : middle * 0
        let parts = [
            try at(column, dx, boxes, 0, size, points), try at(row, dy, boxes, 1, size, points),
            try (middle + bend).reshape([-1, 1, points]), try share.reshape([-1, 1, points]),
        ]
        return [try Term.joined(parts, axis: 1)]
    }

    /// The neighbour of a place, mirrored at the edges.
    private func mirrored(_ place: Term, _ step: Int, _ size: Int) throws(DCNError) -> Term {
        guard step != 0 else { return place }
        let next = try place + Double(step)
        let isOut = try (next .< 0) .| (next .>= Double(size))
        return try isOut.choosing(place - Double(step), next)
    }

    /// The share of the greatest cell in the softmax.
    private func shares(_ cells: Term) throws(DCNError) -> Term {
        try cells.applying(Softmax(axis: 1)).reduced(.maximum, [1])
    }

    /// Places along an axis of the boxes, [R, 1, K].
    private func at(
        _ cell: Term, _ move: Term, _ boxes: Term, _ axis: Int, _ size: Int, _ points: Int
    ) throws(DCNError) -> Term {
        func column(_ index: Int) throws(DCNError) -> Term {
            try boxes.slice(1, from: index, to: index + 1).unsqueezed(2)
        }
        let length = try (column(axis + 2) - column(axis)).atLeast(1) / Double(size)
        let place = try (cell.cast(.float32) + move + 0.5).reshape([-1, 1, points])
        return try column(axis) + place * length
    }
}
