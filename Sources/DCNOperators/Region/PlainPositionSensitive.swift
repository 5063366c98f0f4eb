internal import DCNGraph

/// Means over whole cells, bins reading channels of their own, one bin after the other: for what no other kernel takes.
struct PlainPSRoiPool<T: BinaryFloatingPoint & Sendable>: Sendable {
    private let op: PSRoiPool
    private let x: [Int]
    private let regions: Int

    init(_ op: PSRoiPool, _ call: Call) throws(Misfit) {
        guard try call.input(1).element == call.input(0).element else {
            throw .unsupported("PSRoiPool of \(try call.input(1).element) regions")
        }
        self.op = op
        x = try call.extents(0)
        regions = try call.extents(1)[0]
    }

    var kernel: TileKernel {
        let plan = self
        let tiling = Tiling(regions &* op.outputChannels, cost: x[2] &* x[3])
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] {
                plan.run(row / plan.op.outputChannels, row % plan.op.outputChannels, frame)
            }
        }
    }

    private func run(_ region: Int, _ channel: Int, _ frame: Frame) {
        let (bins, groups) = (op.bins, op.groups)
        let cells = bins.height * bins.width
        let start = (region * op.outputChannels + channel) * cells
        let roi = frame.input(1, as: T.self) + region * 5
        let image = roi.image(of: x[0])
        for index in 0..<cells {
            let (i, j) = (index / bins.width, index % bins.width)
            let own =
                (channel * groups.rows + i * groups.rows / bins.height) * groups.columns
                + j * groups.columns / bins.width
            frame.optionalOutput(1, as: Int32.self)?[start + index] = Int32(clamping: own)
            guard let image else {
                frame.output(0, as: T.self)[start + index] = 0
                continue
            }
            let plane = frame.input(0, as: T.self) + (image * x[1] + own) * x[2] * x[3]
            let rows = range(roi[2], roi[4], i, bins.height, x[2])
            let columns = range(roi[1], roi[3], j, bins.width, x[3])
            frame.output(0, as: T.self)[start + index] = mean(plane, rows, columns)
        }
    }

    private func mean(_ plane: UnsafePointer<T>, _ rows: Range<Int>, _ columns: Range<Int>) -> T {
        guard !rows.isEmpty, !columns.isEmpty else { return 0 }
        var sum = 0.0
        for row in rows { for column in columns { sum += Double(plane[row * x[3] + column]) } }
        return T(sum / Double(rows.count * columns.count))
    }

    /// The cells of one bin along an axis.
    private func range(_ low: T, _ high: T, _ bin: Int, _ count: Int, _ extent: Int) -> Range<Int> {
        let isAfter = op.roundsAfterScaling
        let span = op.bins.roundedSpan(low, high, afterScaling: isAfter)
        let step = span.size / T(count)
        let (from, to) = (T(bin) * step, T(bin + 1) * step)
        func limited(_ edge: T) -> Int {
            min(max(0, Int(saturating: Double(edge))), isAfter ? extent - 1 : extent)
        }
        let first = limited(isAfter ? from.rounded(.down) + span.start : (from + span.start).rounded(.down))
        let end = limited(isAfter ? to.rounded(.up) + span.start : (to + span.start).rounded(.up))
        return first..<max(first, end)
    }
}

/// Means of samples of moved bins, bins reading channels of their own, in double precision.
struct PlainDeformPSRoiPool: Sendable {
    private let op: DeformPSRoiPool
    private let x: [Int]
    private let regions: Int
    /// Classes with displacements of their own; nil: nothing is moved.
    private let classes: Int?

    init(_ op: DeformPSRoiPool, _ call: Call) throws(Misfit) {
        for index in call.has(2) ? [1, 2] : [1] where try call.input(index).element != .float64 {
            throw .unsupported("DeformPSRoiPool of \(try call.input(index).element) on float64")
        }
        self.op = op
        x = try call.extents(0)
        regions = try call.extents(1)[0]
        classes = call.has(2) ? try call.extents(2)[1] / 2 : nil
    }

    var kernel: TileKernel {
        let plan = self
        let cost = op.bins.height &* op.bins.width &* op.samples[0] &* op.samples[1] &* 16
        let tiling = Tiling(regions &* op.outputChannels, cost: cost)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] {
                plan.run(row / plan.op.outputChannels, row % plan.op.outputChannels, frame)
            }
        }
    }

    private func run(_ region: Int, _ channel: Int, _ frame: Frame) {
        let bins = op.bins
        let y =
            frame.output(0, as: Double.self)
            + (region * op.outputChannels + channel) * bins.height * bins.width
        let roi = frame.input(1, as: Double.self) + region * 5
        guard let image = roi.image(of: x[0]) else {
            return y.update(repeating: 0, count: bins.height * bins.width)
        }
        let rows = bins.roundedSpan(roi[2], roi[4], afterScaling: false)
        let columns = bins.roundedSpan(roi[1], roi[3], afterScaling: false)
        for i in 0..<bins.height {
            for j in 0..<bins.width {
                let move = displacement(region, channel, i, j, frame)
                let own =
                    (channel * op.group + i * op.group / bins.height) * op.group + j * op.group / bins.width
                let plane = frame.input(0, as: Double.self) + (image * x[1] + own) * x[2] * x[3]
                let high = samples(rows, move.y, i, bins.height, op.samples[0], x[2])
                let wide = samples(columns, move.x, j, bins.width, op.samples[1], x[3])
                y[i * bins.width + j] = mean(plane, high, wide)
            }
        }
    }

    private func displacement(
        _ region: Int, _ channel: Int, _ i: Int, _ j: Int, _ frame: Frame
    ) -> (y: Double, x: Double) {
        guard let classes else { return (0, 0) }
        let (part, scale) = (op.part, Double(op.displacementScale))
        let kind = channel / (op.outputChannels / classes)
        func cell(_ bin: Int, _ bins: Int) -> Int { Int(Double(bin) / Double(bins) * Double(part)) }
        let place = cell(i, op.bins.height) * part + cell(j, op.bins.width)
        let moves =
            frame.input(2, as: Double.self) + 2 * (region * classes + kind) * part * part + place
        return (moves[part * part] * scale, moves[0] * scale)
    }

    private struct Sample { let low, high: Int; let share: Double }

    /// The samples of one bin along an axis that count.
    private func samples(
        _ span: (start: Double, size: Double), _ move: Double, _ bin: Int, _ bins: Int, _ count: Int,
        _ extent: Int
    ) -> [Sample] {
        let size = span.size / Double(bins)
        return (0..<count).compactMap { index in
            let place =
                span.start + Double(bin) * size + move * span.size + Double(index) * size / Double(count)
            guard extent > 0, place >= -0.5, place <= Double(extent) - 0.5 else { return nil }
            let held = min(max(place, 0), Double(extent - 1))
            return Sample(low: Int(held), high: Int(held.rounded(.up)), share: held - held.rounded(.down))
        }
    }

    private func mean(_ plane: UnsafePointer<Double>, _ rows: [Sample], _ columns: [Sample]) -> Double {
        guard !rows.isEmpty, !columns.isEmpty else { return 0 }
        var sum = 0.0
        for v in rows {
            for h in columns {
                let (top, bottom) = (plane + v.low * x[3], plane + v.high * x[3])
                let upper = top[h.low] * (1 - h.share) + top[h.high] * h.share
                let lower = bottom[h.low] * (1 - h.share) + bottom[h.high] * h.share
                sum += upper * (1 - v.share) + lower * v.share
            }
        }
        return sum / Double(rows.count * columns.count)
    }
}

extension RegionBins {
    /// Where a region whose edges are rounded begins, and its size, at least the least.
    func roundedSpan<T: BinaryFloatingPoint>(
        _ low: T, _ high: T, afterScaling: Bool
    ) -> (start: T, size: T) {
        let (scale, offset) = (T(scale), T(offset))
        func nearest(_ value: T) -> T { value.rounded(.toNearestOrAwayFromZero) }
        let start = afterScaling ? nearest(low * scale) : nearest(low) * scale - offset
        let end = afterScaling ? nearest(high * scale) : (nearest(high) + 1) * scale - offset
        return (start, minimum.map { max(end - start, T($0)) } ?? end - start)
    }
}

extension UnsafePointer where Pointee: BinaryFloatingPoint {
    /// The image of a region (batch, x1, y1, x2, y2), where there is one and the region is finite.
    func image(of count: Int) -> Int? {
        guard (0..<5).allSatisfy({ self[$0].isFinite }), self[0] >= 0, self[0] < Pointee(count) else {
            return nil
        }
        return Int(self[0])
    }
}
