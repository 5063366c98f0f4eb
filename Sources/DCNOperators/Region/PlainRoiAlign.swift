internal import DCNGraph

/// RoiAlign of upright regions, one bin after the other, computed in double precision: for what no other kernel takes.
struct PlainRoiAlign<T: BinaryFloatingPoint & Sendable>: Sendable {
    let op: RoiAlign
    let x, rois: [Int]
    let hasBatches: Bool

    init(_ op: RoiAlign, _ call: Call) throws(Misfit) {
        guard op.angleScale == nil, try call.input(1).element == call.input(0).element else {
            throw .unsupported("RoiAlign in this form on \(try call.input(0).element)")
        }
        self.op = op
        x = try call.extents(0)
        rois = try call.extents(1)
        hasBatches = call.has(2)
    }

    var kernel: TileKernel {
        let (channels, plan) = (self.channels, self)
        let tiling = Tiling(rois[0] &* channels, cost: op.bins.height &* op.bins.width &* 64)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] { plan.run(row / channels, row % channels, frame) }
        }
    }

    /// Channels that come out.
    private var channels: Int { op.isPositionSensitive ? x[1] / (op.bins.height * op.bins.width) : x[1] }

    /// The channel that a bin reads.
    private func source(_ channel: Int, _ i: Int, _ j: Int) -> Int {
        op.isPositionSensitive ? (channel * op.bins.height + i) * op.bins.width + j : channel
    }

    private func run(_ region: Int, _ channel: Int, _ frame: Frame) {
        let bins = op.bins
        let start = (region * channels + channel) * bins.height * bins.width
        let y = frame.output(0, as: T.self) + start
        let map = op.isPositionSensitive ? frame.optionalOutput(1, as: Int32.self) : nil
        let box = frame.input(1, as: T.self) + region * rois[1]
        let batch =
            hasBatches
            ? Double(frame.input(2, as: Int64.self)[region]) : Double(box[0]).rounded(.towardZero)
        let corner = (0..<4).map { Double((hasBatches ? box : box + 1)[$0]) }
        let isThere = batch >= 0 && batch < Double(x[0]) && corner.allSatisfy(\.isFinite)
        let (rows, columns) = (
            axis(corner[1], corner[3], bins.height), axis(corner[0], corner[2], bins.width)
        )
        for i in 0..<bins.height {
            for j in 0..<bins.width {
                let own = source(channel, i, j)
                map?[start + i * bins.width + j] = Int32(clamping: own)
                guard isThere else {
                    y[i * bins.width + j] = 0
                    continue
                }
                let plane = frame.input(0, as: T.self) + (Int(batch) * x[1] + own) * x[2] * x[3]
                y[i * bins.width + j] = T(bin(plane, rows, i, columns, j))
            }
        }
    }

    private struct Axis { var start, bin, grid: Double }

    private func axis(_ from: Double, _ to: Double, _ count: Int) -> Axis {
        let (scale, offset) = (Double(op.bins.scale), Double(op.bins.offset))
        var size = to * scale - from * scale
        if let minimum = op.bins.minimum { size = max(size, Double(minimum)) }
        let bin = size / Double(count)
        let grid = op.bins.samplingRatio > 0 ? Double(op.bins.samplingRatio) : max(0, bin.rounded(.up))
        return Axis(start: from * scale - offset, bin: bin, grid: grid)
    }

    /// The samples that can touch an axis of `extent` cells.
    private func near(_ axis: Axis, _ index: Int, _ extent: Int) -> Range<Int> {
        let step = axis.bin / axis.grid
        guard axis.grid > 0, step != 0, step.isFinite else {
            return 0..<Int(saturating: min(axis.grid, 4096.0))
        }
        let start = axis.start + Double(index) * axis.bin
        let bounds = [(-2 - start) / step - 1, (Double(extent) + 1 - start) / step + 1].sorted()
        let low = Int(saturating: max(0, min(axis.grid, bounds[0].rounded(.down))))
        return low..<max(low, Int(saturating: max(0, min(axis.grid, bounds[1].rounded(.up)))))
    }

    private func bin(_ plane: UnsafePointer<T>, _ rows: Axis, _ i: Int, _ columns: Axis, _ j: Int)
        -> Double
    {
        let (high, wide) = (near(rows, i, x[2]), near(columns, j, x[3]))
        var (sum, top, seen) = (0.0, -Double.infinity, 0.0)
        for k in high {
            let v = rows.start + Double(i) * rows.bin + (Double(k) + 0.5) * rows.bin / rows.grid
            for l in wide {
                let h =
                    columns.start + Double(j) * columns.bin + (Double(l) + 0.5) * columns.bin / columns.grid
                let corners = weigh(plane, v, h)
                let total = corners.sum()
                sum += total
                top = max(top, op.mode == .maximumCorner ? corners.max() : total)
                seen += 1
            }
        }
        let count = rows.grid * columns.grid
        switch op.mode {
        case .average: return count > 0 ? sum / count : op.emptyIsNaN ? .nan : 0
        case .maximumCorner: return count <= 0 ? 0 : seen < count ? max(top, 0) : top
        case .maximum(let initial):
            let best = seen < count ? max(top, 0) : top
            return max(Double(initial), best)
        }
    }

    /// The four weighted cells around a point.
    private func weigh(_ plane: UnsafePointer<T>, _ v: Double, _ h: Double) -> SIMD4<Double> {
        guard v >= -1, v <= Double(x[2]), h >= -1, h <= Double(x[3]) else { return .zero }
        let (y0, y1, ly) = cells(v, x[2])
        let (x0, x1, lx) = cells(h, x[3])
        return SIMD4(
            (1 - ly) * (1 - lx) * Double(plane[y0 * x[3] + x0]),
            (1 - ly) * lx * Double(plane[y0 * x[3] + x1]),
            ly * (1 - lx) * Double(plane[y1 * x[3] + x0]), ly * lx * Double(plane[y1 * x[3] + x1]))
    }

    private func cells(_ value: Double, _ extent: Int) -> (Int, Int, Double) {
        let value = max(value, 0)
        let low = Int(value)
        guard low < extent - 1 else { return (extent - 1, extent - 1, 0) }
        return (low, low + 1, value - Double(low))
    }
}
