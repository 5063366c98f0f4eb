internal import DCNGraph
internal import DCNOperators

extension RoiAlign: Lowerable {
    /// The standard's RoiAlign where it has the form, else samples gathered one by one.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        let batches = inputs.count > 2 ? inputs[2] : nil
        if isStandard {
            guard batches == nil else { return nil }
            let numbers = try rois.column(0).cast(.int64)
            return [try sketch.node(self, x, rois.slice(1, from: 1), numbers)]
        }
        if let moved { return [try sketch.node(moved, x, rois - shift(rois), batches)] }
        let groups = isPositionSensitive ? bins.height * bins.width : 1
        let table = try PixelTable(x, groups: groups)
        var y = try angleScale == nil ? upright(table, rois, batches) : turned(table, rois, batches)
        guard outputs > 1 else { return [y] }
        guard let channels = x.extent(1) else { throw sketch.refusal("needs a known number of channels") }
        let each = [channels / groups, bins.height, bins.width]
        let map = Tensor(extents: [1] + each, (0..<channels).map { Int32($0) })
        guard let map else { return nil }
        y = try sketch.node(Identity(), y)
        return [y, try sketch.constant(map).expanded(y.shape())]
    }

    private var isStandard: Bool {
        if case .maximum = mode { return false }
        let isLegacy = bins.offset == 0 && bins.minimum == 1
        return !isPositionSensitive && angleScale == nil
            && (isLegacy || bins.offset == 0.5 && bins.minimum == nil)
    }

    /// The same without an offset, where the standard has that; regions are moved instead.
    private var moved: RoiAlign? {
        var op = self
        op.bins.offset = 0
        return op.isStandard && bins.scale > 0 ? op : nil
    }

    /// What regions are moved by: their corners, where a batch index stands before them.
    private func shift(_ rois: Term) -> Term {
        let count = rois.extent(1) == 4 ? 4 : 5
        let shift = bins.offset / bins.scale
        return rois.sketch.floats((0..<count).map { $0 == count - 5 ? 0 : shift })
    }

    private func upright(_ table: PixelTable, _ rois: Term, _ batches: Term?) throws(DCNError) -> Term {
        let grid = try RegionGrid(RegionCorners(rois, batches: batches, bins), bins, table)
        var group: Term?
        if isPositionSensitive {
            let cells = (0..<bins.height * bins.width).map { Int64($0) }
            guard let cells = Tensor(extents: [1, bins.height, bins.width, 1, 1], cells) else {
                throw rois.sketch.refusal("has no bins")
            }
            group = rois.sketch.constant(cells)
        }
        let samples = try table.samples(
            grid.rows.places, grid.columns.places, image: grid.image, group: group)
        return try grid.combined(samples.values, mode, emptyIsNaN: emptyIsNaN)
    }

    /// Regions (cx, cy, w, h, angle): samples lie about the centre and are turned.
    private func turned(_ table: PixelTable, _ rois: Term, _ batches: Term?) throws(DCNError) -> Term {
        let first = batches == nil ? 1 : 0
        func number(_ index: Int) throws(DCNError) -> Term { try rois.upright(first + index) }
        func size(_ index: Int) throws(DCNError) -> Term {
            let size = try number(index) * Double(bins.scale)
            return try bins.minimum.map { (least) throws(DCNError) in try size.atLeast(Double(least)) }
                ?? size
        }
        let grid = try RegionGrid(
            RegionCorners(batch: RegionCorners.batch(rois, batches), width: size(2), height: size(3)), bins,
            table)
        let angle = try number(4) * Double(angleScale ?? 1)
        let (sine, cosine) = (try angle.applying(Sin()), try angle.applying(Cos()))
        let (down, across) = (grid.rows.places, grid.columns.places)
        let (scale, offset) = (Double(bins.scale), Double(bins.offset))
        let y = try down * cosine - across * sine + (number(1) * scale - offset)
        let x = try down * sine + across * cosine + (number(0) * scale - offset)
        let samples = try table.samples(y, x, image: grid.image)
        return try grid.combined(samples.values, mode)
    }
}

extension DeformRoiPool: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        let table = try PixelTable(x)
        let grid = try RegionGrid(RegionCorners(rois, batches: nil, bins), bins, table)
        var (y, across) = (grid.rows.places, grid.columns.places)
        if inputs.count > 2, let moves = inputs[2] {
            func moved(_ axis: Int, _ size: Term) throws(DCNError) -> Term {
                let share = try moves.slice(1, from: axis, to: axis + 1)
                    .reshape([-1, bins.height, bins.width, 1, 1])
                return try share * size * Double(displacementScale)
            }
            across = try across + moved(0, grid.columns.size)
            y = try y + moved(1, grid.rows.size)
        }
        return [try grid.combined(table.samples(y, across, image: grid.image).values, .average)]
    }
}

extension BilinearRoiPool: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rois = inputs[1] else { return nil }
        let table = try PixelTable(x, groups: parts[0] * parts[1], groupsFirst: true)
        let y = try places(rois, 2, axis: 0, x.size(2).cast(.float32))
        let across = try places(rois, 1, axis: 1, x.size(3).cast(.float32))
        let groups = (0..<parts[0] * parts[1]).map { Int64($0) }
        guard let group = Tensor(extents: [1, 1, 1] + parts, groups) else { return nil }
        let samples = try table.samples(
            y, across, image: table.image(rois.upright(0)), group: sketch.constant(group), reach: 0)
        return [try samples.values.reduced(.mean, [3, 4]).transpose([0, 3, 1, 2])]
    }

    /// Where bins and parts look along an axis: [R, height, 1, parts, 1] or [R, 1, width, 1, parts].
    private func places(_ rois: Term, _ column: Int, axis: Int, _ extent: Term) throws(DCNError) -> Term {
        let (count, parts) = (axis == 0 ? bins.height : bins.width, parts[axis])
        func along(_ axis: Int, _ numbers: [Float]) -> Term {
            rois.sketch.floats(numbers, (0..<5).map { $0 == axis ? numbers.count : 1 })
        }
        let from = try rois.upright(column) * Double(bins.scale)
        let size = try (rois.upright(column + 2) * Double(bins.scale) - from) / Double(parts)
        let start = try from + size * along(axis + 3, (0..<parts).map { Float($0) })
        let last = try extent - 1
        guard count > 1 else { return try (start + size * 0.5) * last }
        let step = try size * last / Double(count - 1)
        return try step * along(axis + 1, (0..<count).map { Float($0) }) + start * last
    }
}
