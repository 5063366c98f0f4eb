internal import DCNGraph
internal import DCNOperators

extension DeformPSRoiPool: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        let table = try PixelTable(x, groups: group * group)
        let corners = try PositionCorners(rois, bins, roundsAfterScaling: false)
        let trans = inputs.count > 2 ? inputs[2] : nil
        let classes =
            try trans.map { (trans) throws(DCNError) -> Int in
                guard let channels = trans.extent(1) else {
                    throw sketch.refusal("needs a known number of classes")
                }
                return channels / 2
            } ?? 1
        let each = outputChannels / classes
        var parts: [Term] = []
        for kind in 0..<classes {
            func places(_ axis: Int) throws(DCNError) -> Term {
                let (start, size) = axis == 1 ? (corners.top, corners.height) : (corners.left, corners.width)
                let cells = axis == 1 ? bins.height : bins.width
                let count = samples[axis - 1]
                func along(_ axis: Int, _ numbers: [Float]) -> Term {
                    sketch.floats(numbers, (0..<5).map { $0 == axis ? numbers.count : 1 })
                }
                let bin = try size / Double(cells)
                var from = try start + bin * along(axis, (0..<cells).map { Float($0) })
                if let trans { from = try from + moved(trans, 2 * kind + (axis == 1 ? 1 : 0)) * size }
                return try from + bin / Double(count) * along(axis + 2, (0..<count).map { Float($0) })
            }
            let found = try table.samples(
                places(1), places(2), image: table.image(corners.batch), group: cells(sketch), reach: 0.5)
            let count = try found.isInside.cast(.float32).reduced(.sum, [3, 4])
            let sum = try found.values.reduced(.sum, [3, 4])
            let mean = try sum / count.atLeast(1).unsqueezed(-1)
            parts.append(try mean.slice(3, from: kind * each, to: (kind + 1) * each))
        }
        return [try Term.joined(parts, axis: 3).transpose([0, 3, 1, 2])]
    }

    /// One displacement for each bin, [R, height, width, 1, 1].
    private func moved(_ trans: Term, _ channel: Int) throws(DCNError) -> Term {
        func order(_ cells: Int) -> Term {
            trans.sketch.integers(
                (0..<cells).map { min(part - 1, Int(Float($0) / Float(cells) * Float(part))) })
        }
        let field = try trans.slice(1, from: channel, to: channel + 1)
            .gather(order(bins.height), axis: 2).gather(order(bins.width), axis: 3)
        return try field.reshape([-1, bins.height, bins.width, 1, 1]) * Double(displacementScale)
    }

    private func cells(_ sketch: Sketch) throws(DCNError) -> Term {
        try sketch.groupCells(bins, (group, group), axes: 5)
    }
}

extension PSRoiPool: Lowerable {
    /// Means over whole pixels, from sums over all pixels above and to the left, in double precision.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        guard let height = x.extent(2), let width = x.extent(3), x.element == .float32 else {
            throw sketch.refusal("needs a float32 image of known extents to be written in standard operators")
        }
        let groups = self.groups, cells = groups.rows * groups.columns
        var sums = try x.cast(.float64)
        for axis in [2, 3] { sums = try sketch.node(CumSum(), sums, sketch.scalar(Double(axis), .int64)) }
        sums = try sums.padded([0, 0, 1, 1], [0, 0, 0, 0]).reshape([0, outputChannels, cells, -1])
        let table = try sums.transpose([0, 2, 3, 1]).reshape([-1, outputChannels])
        let corners = try PositionCorners(rois, bins, roundsAfterScaling: roundsAfterScaling)
        let rows = try edges(corners.top, corners.height, bins.height, at: 1, height)
        let columns = try edges(corners.left, corners.width, bins.width, at: 2, width)
        let number = try corners.batch.reshape([-1, 1, 1])
        let exists = try (number .>= 0) .& (number .< x.size(0).cast(.float32))
        let image = try exists.choosing(number, or: 0).cast(.int64)
        let plane = try image * Double(cells) + sketch.groupCells(bins, groups, axes: 3)
        func sum(_ row: Term, _ column: Term) throws(DCNError) -> Term {
            let line = try plane * Double(height + 1) + row
            return try table.gather(line * Double(width + 1) + column)
        }
        let total =
            try sum(rows.end, columns.end) - sum(rows.start, columns.end)
            - (sum(rows.end, columns.start) - sum(rows.start, columns.start))
        let area = try (rows.end - rows.start) * (columns.end - columns.start)
        let counts = try (area .> 0) .& exists
        let mean = try total / area.atLeast(1).cast(.float64).unsqueezed(-1)
        let y = try counts.unsqueezed(-1).choosing(mean, or: 0).cast(.float32).transpose([0, 3, 1, 2])
        return outputs > 1 ? [y, try channels(sketch).expanded(y.shape())] : [y]
    }

    private func channels(_ sketch: Sketch) throws(DCNError) -> Term {
        var numbers: [Int32] = []
        for channel in 0..<outputChannels {
            for i in 0..<bins.height {
                for j in 0..<bins.width {
                    let row = channel * groups.rows + i * groups.rows / bins.height
                    numbers.append(Int32(clamping: row * groups.columns + j * groups.columns / bins.width))
                }
            }
        }
        guard let map = Tensor(extents: [1, outputChannels, bins.height, bins.width], numbers) else {
            throw sketch.refusal("has no channels")
        }
        return sketch.constant(map)
    }

    /// The first pixel of each bin and the one behind its last: integers [R, height, width] with extents of 1.
    private func edges(
        _ start: Term, _ size: Term, _ count: Int, at axis: Int, _ extent: Int
    ) throws(DCNError) -> (start: Term, end: Term) {
        let (start, bin) = (try start.reshape([-1, 1, 1]), try size.reshape([-1, 1, 1]) / Double(count))
        func numbers(_ first: Int) -> Term {
            start.sketch.floats(
                (0..<count).map { Float($0 + first) }, (0..<3).map { $0 == axis ? count : 1 })
        }
        let (low, high) = (try bin * numbers(0), try bin * numbers(1))
        let from = try roundsAfterScaling ? low.floored + start : (low + start).floored
        let to = try roundsAfterScaling ? high.ceiled + start : (high + start).ceiled
        func held(_ edge: Term) throws(DCNError) -> Term {
            try edge.atLeast(0).atMost(Double(roundsAfterScaling ? extent - 1 : extent)).cast(.int64)
        }
        let first = try held(from)
        return (first, try held(to).atLeast(first))
    }
}

/// Regions whose corners are whole numbers, as columns [R, 1, 1, 1, 1] in pixels.
struct PositionCorners {
    let batch, left, top, width, height: Term

    init(_ rois: Term, _ bins: RegionBins, roundsAfterScaling: Bool) throws(DCNError) {
        let (scale, offset) = (Double(bins.scale), Double(bins.offset))
        func edge(_ index: Int, plus: Double) throws(DCNError) -> Term {
            let value = try rois.upright(index)
            guard !roundsAfterScaling else { return try (value * scale).rounded }
            return try (value.rounded + plus) * scale - offset
        }
        batch = try rois.upright(0)
        (left, top) = (try edge(1, plus: 0), try edge(2, plus: 0))
        let (right, bottom) = (try edge(3, plus: 1), try edge(4, plus: 1))
        width = try (right - left).atLeast(Double(bins.minimum ?? 0))
        height = try (bottom - top).atLeast(Double(bins.minimum ?? 0))
    }
}

extension Sketch {
    /// The group of channels that each bin reads: integers [1, height, width, 1, …].
    func groupCells(
        _ bins: RegionBins, _ groups: (rows: Int, columns: Int), axes: Int
    ) throws(DCNError) -> Term {
        var cells: [Int64] = []
        for i in 0..<bins.height {
            let row = i * groups.rows / bins.height * groups.columns
            for j in 0..<bins.width { cells.append(Int64(row + j * groups.columns / bins.width)) }
        }
        let extents = [1, bins.height, bins.width] + [Int](repeating: 1, count: axes - 3)
        guard let tensor = Tensor(extents: extents, cells) else { throw refusal("has no bins") }
        return constant(tensor)
    }
}
