internal import CKernels
package import DCNGraph

/// Bins of regions, each the mean or the greatest of samples between cells.
///
///     y[r, c, i, j] = mean (or maximum) over the grid of x[batch(r), c] at (y0 + i·bh + (k + ½)·bh/gh, …)
///
/// Inputs: X `[N, C, H, W]`, rois `[R, 4]` (x1, y1, x2, y2) with batch indices `[R]` apart, or `[R, 5]` with the batch index first;
/// rotated ones hold (cx, cy, w, h, angle) instead of corners. Output `[R, C, height, width]`.
///
/// A sample is bilinear; farther than one cell outside it is 0, and counts. A batch index that does not exist gives zeros, so
/// does a region that is not finite. An inverted region has its least size where one is set, else an empty grid where the
/// sampling ratio is adaptive: 0, or NaN where `emptyIsNaN`. Position sensitive, a second output holds, where wanted, the
/// channel (int32) that each bin reads.
package struct RoiAlign: Operator {
    package static let name = "RoiAlign"
    /// How samples become one value.
    package enum Mode: Sendable, Hashable, Codable {
        case average
        /// The greatest interpolated value, not below `initial`.
        case maximum(initial: Float)
        /// The greatest weighted corner of all samples (ONNX's `max`).
        case maximumCorner
    }
    /// How regions are cut.
    package var bins: RegionBins
    /// How samples become one value.
    package var mode: Mode
    /// Whether bin (i, j) reads channels of its own: X has `height · width` times the output's channels.
    package var isPositionSensitive = false
    /// For rotated regions: the factor that makes radians of the angle, with its sense; nil: upright regions.
    package var angleScale: Float?
    /// Whether an empty grid gives NaN instead of 0.
    package var emptyIsNaN = false

    package init(_ bins: RegionBins, mode: Mode = .average) {
        self.bins = bins
        self.mode = mode
    }

    private var corners: Int { angleScale == nil ? 4 : 5 }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let batches = try inputs.optional(2, "batch_indices", rank: 1)
        let (x, rois) = try inputs.regions(columns: batches == nil ? corners + 1 : corners)
        try batches?.expect([.int64])
        try batches?.expect(rois.dimension(0), along: 0, because: "one for each region")
        var channels = x.dimension(1)
        if isPositionSensitive {
            let count = bins.height * bins.width
            if let all = channels.fixed, all % count != 0 {
                throw .extent(
                    of: "X", axis: 1, expected: "a multiple of \(count)", got: "\(all)", because: "the bins")
            }
            channels = channels.fixed.map { .fixed($0 / count) } ?? .unknown
        }
        let shape = Shape([rois.dimension(0), channels, .fixed(bins.height), .fixed(bins.width)])
        let y = ValueType.tensor(TensorType(x.element, shape))
        let map = ValueType.tensor(TensorType(.int32, shape))
        return isPositionSensitive && inputs.outputCount > 1 ? [y, map] : [y]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        isPositionSensitive || !inputs.isFloat32(0) ? .rowMajor : .channelsLast(inputs: [0], outputs: [])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        var shape = bins.shape
        shape.empty_is_nan = emptyIsNaN ? 1 : 0
        shape.angle_scale = angleScale ?? 0
        switch mode {
        case .average: shape.mode = DCN_ROI_AVERAGE
        case .maximum(let initial): (shape.mode, shape.initial) = (DCN_ROI_MAX, initial)
        case .maximumCorner: shape.mode = DCN_ROI_MAX_CORNER
        }
        let batches = call.has(2) ? 2 : nil
        guard isPositionSensitive else {
            let kind = angleScale == nil ? RegionKernel.Kind.align : .rotated
            if try call.input(0).element == .float64 {
                return .kernel(try PlainRoiAlign(self, call).kernel)
            }
            return .kernel(try RegionKernel(kind, shape, call, batches: batches, name: "RoiAlign").kernel)
        }
        guard bins.height == bins.width else {
            throw .unsupported("position sensitive RoiAlign of \(bins.height) × \(bins.width) bins")
        }
        shape.output_channels = try call.outputExtents(0)[1]
        shape.group = bins.height
        return .kernel(try PositionKernel(.align, shape, call, batches: batches, name: "RoiAlign").kernel)
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* 16
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let isLegacy = bins.offset == 0 && bins.minimum == 1
        guard inputs.has(2), !isPositionSensitive, angleScale == nil,
            isLegacy || bins.offset == 0.5 && bins.minimum == nil
        else { throw .unsupported("RoiAlign in this form has no standard spelling") }
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("output_height", .int(bins.height)), ("output_width", .int(bins.width)),
            ("sampling_ratio", .int(max(0, bins.samplingRatio))), ("spatial_scale", .float(bins.scale)),
            (
                "coordinate_transformation_mode",
                .string(ByteString(isLegacy ? "output_half_pixel" : "half_pixel"))
            ),
        ]
        switch mode {
        case .average: break
        case .maximumCorner: attributes.append(("mode", .string(ByteString("max"))))
        case .maximum:
            throw .unsupported("RoiAlign with the greatest interpolated value has no standard spelling")
        }
        return WrittenNode("RoiAlign", attributes, since: 16)
    }
}

/// RoiAlign of upright regions in double precision, one bin after the other.
struct PlainRoiAlign: Sendable {
    let op: RoiAlign
    let x, rois: [Int]
    let hasBatches: Bool

    init(_ op: RoiAlign, _ call: Call) throws(Misfit) {
        guard op.angleScale == nil, !op.emptyIsNaN, try call.input(1).element == .float64 else {
            throw .unsupported("RoiAlign in this form on float64")
        }
        self.op = op
        x = try call.extents(0)
        rois = try call.extents(1)
        hasBatches = call.has(2)
    }

    var kernel: TileKernel {
        let tiling = Tiling(rois[0] &* x[1], cost: op.bins.height &* op.bins.width &* 64)
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] { plan.run(row / plan.x[1], row % plan.x[1], frame) }
        }
    }

    private func run(_ region: Int, _ channel: Int, _ frame: Frame) {
        let bins = op.bins
        let y = frame.output(0, as: Double.self) + (region * x[1] + channel) * bins.height * bins.width
        let box = frame.input(1, as: Double.self) + region * rois[1]
        let batch = hasBatches ? Double(frame.input(2, as: Int64.self)[region]) : box[0].rounded(.towardZero)
        let corner = hasBatches ? box : box + 1
        guard batch >= 0, batch < Double(x[0]), (0..<4).allSatisfy({ corner[$0].isFinite }) else {
            y.update(repeating: 0, count: bins.height * bins.width)
            return
        }
        let plane = frame.input(0, as: Double.self) + (Int(batch) * x[1] + channel) * x[2] * x[3]
        let (rows, columns) = (
            axis(corner[1], corner[3], bins.height), axis(corner[0], corner[2], bins.width)
        )
        for i in 0..<bins.height {
            for j in 0..<bins.width { y[i * bins.width + j] = bin(plane, rows, i, columns, j) }
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

    private func bin(_ plane: UnsafePointer<Double>, _ rows: Axis, _ i: Int, _ columns: Axis, _ j: Int)
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
        case .average: return count > 0 ? sum / count : 0
        case .maximumCorner: return count <= 0 ? 0 : seen < count ? max(top, 0) : top
        case .maximum(let initial):
            let best = seen < count ? max(top, 0) : top
            return max(Double(initial), best)
        }
    }

    /// The four weighted cells around a point.
    private func weigh(_ plane: UnsafePointer<Double>, _ v: Double, _ h: Double) -> SIMD4<Double> {
        guard v >= -1, v <= Double(x[2]), h >= -1, h <= Double(x[3]) else { return .zero }
        let (y0, y1, ly) = cells(v, x[2])
        let (x0, x1, lx) = cells(h, x[3])
        return SIMD4(
            (1 - ly) * (1 - lx) * plane[y0 * x[3] + x0], (1 - ly) * lx * plane[y0 * x[3] + x1],
            ly * (1 - lx) * plane[y1 * x[3] + x0], ly * lx * plane[y1 * x[3] + x1])
    }

    private func cells(_ value: Double, _ extent: Int) -> (Int, Int, Double) {
        let value = max(value, 0)
        let low = Int(value)
        guard low < extent - 1 else { return (extent - 1, extent - 1, 0) }
        return (low, low + 1, value - Double(low))
    }
}
