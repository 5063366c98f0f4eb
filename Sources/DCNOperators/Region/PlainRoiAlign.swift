internal import DCNGraph

/// RoiAlign, one bin after the other, computed in double precision: for what no other kernel takes.
struct PlainRoiAlign<T: BinaryFloatingPoint & Sendable>: Sendable {
    let op: RoiAlign
    let x, rois: [Int]
    let hasBatches: Bool
    /// What the displacements in input 2 are multiplied by; nil: there are none.
    let displacementScale: Double?

    init(_ op: RoiAlign, _ call: Call, displacementScale: Double? = nil) throws(Misfit) {
        for index in 1..<(displacementScale == nil ? 2 : 3)
        where try call.input(index).element != call.input(0).element {
            throw .unsupported("RoiAlign of \(try call.input(index).element) on \(try call.input(0).element)")
        }
        self.op = op
        self.displacementScale = displacementScale
        x = try call.extents(0)
        rois = try call.extents(1)
        hasBatches = displacementScale == nil && call.has(2)
    }

    var kernel: TileKernel {
        let (channels, plan) = (self.channels, self)
        let samples = op.bins.samplingRatio > 0 ? op.bins.samplingRatio &* op.bins.samplingRatio : 4
        let tiling = Tiling(rois[0] &* channels, cost: op.bins.height &* op.bins.width &* samples &* 16)
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
            ? Double(frame.input(2, as: Int64.self)[region]) : Double(box[0])
        let numbers = (0..<(op.angleScale == nil ? 4 : 5)).map { Double((hasBatches ? box : box + 1)[$0]) }
        let isThere = batch >= 0 && batch < Double(x[0]) && numbers.allSatisfy(\.isFinite)
        let grid = isThere ? Grid(numbers, op) : nil
        for i in 0..<bins.height {
            for j in 0..<bins.width {
                let own = source(channel, i, j)
                map?[start + i * bins.width + j] = Int32(clamping: own)
                guard let grid = grid?.moved(displacement(region, i, j, frame)) else {
                    y[i * bins.width + j] = 0
                    continue
                }
                let plane = frame.input(0, as: T.self) + (Int(batch) * x[1] + own) * x[2] * x[3]
                y[i * bins.width + j] = T(bin(plane, grid, i, j))
            }
        }
    }

    /// What a bin is moved by, rows before columns, as shares of the region.
    private func displacement(_ region: Int, _ i: Int, _ j: Int, _ frame: Frame) -> SIMD2<Double> {
        guard let displacementScale else { return .zero }
        let cells = op.bins.height * op.bins.width
        let moves = frame.input(2, as: T.self) + 2 * region * cells + i * op.bins.width + j
        return SIMD2(Double(moves[cells]), Double(moves[0])) * displacementScale
    }

    private func bin(_ plane: UnsafePointer<T>, _ grid: Grid, _ i: Int, _ j: Int) -> Double {
        let (rows, columns) = (grid.rows, grid.columns)
        let middle = grid.turned(back: SIMD2(Double(x[2]), Double(x[3])) / 2)
        let reach =
            grid.turn == nil
            ? SIMD2(Double(x[2]), Double(x[3])) / 2 : SIMD2(repeating: 2 + Double(x[2] + x[3]) / 2)
        let high = rows.near(i, middle[0] - reach[0], middle[0] + reach[0])
        let wide = columns.near(j, middle[1] - reach[1], middle[1] + reach[1])
        var (sum, top, seen) = (0.0, -Double.infinity, 0.0)
        for k in high {
            for l in wide {
                let place = grid.turned(SIMD2(rows.sample(i, k), columns.sample(j, l)))
                let corners = weigh(plane, place[0], place[1])
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
        guard x[2] > 0, x[3] > 0, v >= -1, v <= Double(x[2]), h >= -1, h <= Double(x[3]) else { return .zero }
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

/// Where the samples of a region lie: along its own axes, and how these are turned.
private struct Grid {
    var rows, columns: Axis
    /// Cosine and sine of the angle, and the centre (y, x); nil: upright.
    var turn: (cosine: Double, sine: Double, centre: SIMD2<Double>)?

    /// The grid of corners (x1, y1, x2, y2), or of (cx, cy, w, h, angle).
    init(_ numbers: [Double], _ op: RoiAlign) {
        let bins = op.bins
        let (scale, offset) = (Double(bins.scale), Double(bins.offset))
        let scaled = numbers.map { $0 * scale }
        guard let angleScale = op.angleScale else {
            columns = Axis(start: scaled[0] - offset, size: scaled[2] - scaled[0], bins.width, bins)
            rows = Axis(start: scaled[1] - offset, size: scaled[3] - scaled[1], bins.height, bins)
            return
        }
        columns = Axis(start: nil, size: scaled[2], bins.width, bins)
        rows = Axis(start: nil, size: scaled[3], bins.height, bins)
        let angle = numbers[4] * Double(angleScale)
        turn = (Elementary.cos(angle), Elementary.sin(angle), SIMD2(scaled[1], scaled[0]) - offset)
    }

    /// The grid moved along its axes by shares of its size.
    func moved(_ shares: SIMD2<Double>) -> Grid {
        var grid = self
        grid.rows.start += shares[0] * rows.size
        grid.columns.start += shares[1] * columns.size
        return grid
    }

    /// A place along the axes in the image.
    func turned(_ place: SIMD2<Double>) -> SIMD2<Double> {
        guard let turn else { return place }
        return SIMD2(
            place[0] * turn.cosine - place[1] * turn.sine, place[0] * turn.sine + place[1] * turn.cosine)
            + turn.centre
    }

    /// A place in the image along the axes.
    func turned(back place: SIMD2<Double>) -> SIMD2<Double> {
        guard let turn else { return place }
        let from = place - turn.centre
        return SIMD2(from[0] * turn.cosine + from[1] * turn.sine, from[1] * turn.cosine - from[0] * turn.sine)
    }
}

/// The bins of a region along one of its axes.
private struct Axis {
    var start: Double
    let size, bin, grid: Double

    /// So many bins; without a start they lie about 0.
    init(start: Double?, size: Double, _ count: Int, _ bins: RegionBins) {
        self.size = bins.minimum.map { max(size, Double($0)) } ?? size
        self.start = start ?? -self.size / 2
        bin = self.size / Double(count)
        grid = bins.samplingRatio > 0 ? Double(bins.samplingRatio) : max(0, bin.rounded(.up))
    }

    func sample(_ index: Int, _ sample: Int) -> Double {
        start + Double(index) * bin + (Double(sample) + 0.5) * bin / grid
    }

    /// The samples of a bin that can touch what lies from `low` to `high`.
    func near(_ index: Int, _ low: Double, _ high: Double) -> Range<Int> {
        let step = bin / grid
        guard grid > 0, step != 0, step.isFinite else { return 0..<Int(saturating: min(grid, 4096.0)) }
        let first = start + Double(index) * bin
        let bounds = [(low - 2 - first) / step - 1, (high + 1 - first) / step + 1].sorted()
        let begin = Int(saturating: max(0, min(grid, bounds[0].rounded(.down))))
        return begin..<max(begin, Int(saturating: max(0, min(grid, bounds[1].rounded(.up)))))
    }
}
