internal import CKernels
package import DCNGraph

/// Maxima over bins of whole cells.
///
/// Inputs: X `[N, C, H, W]`, rois `[R, 5]`. Edges are scaled, rounded half away from zero and inclusive; a region has at least
/// one cell. Empty bins, regions that are not finite and batch indices that do not exist give 0. Output `[R, C, height, width]`.
package struct MaxRoiPool: Operator {
    package static let name = "MaxRoiPool"
    /// How regions are cut.
    package var bins: RegionBins

    package init(_ bins: RegionBins) { self.bins = bins }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let (x, rois) = try inputs.regions(columns: 5)
        let shape = Shape([rois.dimension(0), x.dimension(1), .fixed(bins.height), .fixed(bins.width)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        inputs.isFloat32(0) ? .channelsLast(inputs: [0], outputs: []) : .rowMajor
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if try call.input(0).element == .float64 { return .kernel(try PlainMaxRoiPool(self, call).kernel) }
        return .kernel(try RegionKernel(.maximum, bins.shape, call, name: "MaxRoiPool").kernel)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "MaxRoiPool",
            [("pooled_shape", .ints([bins.height, bins.width])), ("spatial_scale", .float(bins.scale))])
    }
}

/// RoiAlign whose bins are moved by learnt displacements (mmcv's DeformRoIPool).
///
/// Inputs: X `[N, C, H, W]`, rois `[R, 5]`, displacements `[R, 2, height, width]` (x before y) or left out.
/// Regions that are not finite and batch indices that do not exist give 0.
package struct DeformRoiPool: Operator {
    package static let name = "DeformRoiPool"
    /// How regions are cut.
    package var bins: RegionBins
    /// Displacements are this share of the region's size.
    package var displacementScale: Float

    package init(_ bins: RegionBins, displacementScale: Float) {
        self.bins = bins
        self.displacementScale = displacementScale
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let (x, rois) = try inputs.regions(columns: 5)
        if let offset = try inputs.optional(2, "offset", rank: 4) {
            try offset.expectSameElement(as: x)
            try offset.expect(rois.dimension(0), along: 0, because: "one for each region")
            for (axis, extent) in [(1, 2), (2, bins.height), (3, bins.width)] {
                try offset.expect(extent, along: axis, because: "x and y for each bin")
            }
        }
        let shape = Shape([rois.dimension(0), x.dimension(1), .fixed(bins.height), .fixed(bins.width)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        inputs.isFloat32(0) ? .channelsLast(inputs: [0], outputs: []) : .rowMajor
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let offset = call.has(2) ? 2 : nil
        if try call.input(0).element == .float64 {
            let scale = offset.map { _ in Double(displacementScale) }
            return .kernel(
                try PlainRoiAlign<Double>(RoiAlign(bins), call, displacementScale: scale).kernel)
        }
        var shape = bins.shape
        shape.trans_scale = displacementScale
        return .kernel(
            try RegionKernel(.deformable, shape, call, displacements: offset, name: "DeformRoiPool").kernel)
    }
}

/// The exact mean of the bilinear surface over each bin (PrRoIPool).
///
///     y[r, c, i, j] = ∬ bin of Σ x[v, h] · hat(y − v) · hat(x − h) / area of the bin;  0 without area
///
/// Inputs: X `[N, C, H, W]`, rois `[R, 5]`. Outside of the map the surface falls to 0 within one cell.
/// Inverted regions, those that are not finite and batch indices that do not exist give 0.
package struct PrRoiPool: Operator {
    package static let name = "PrRoiPool"
    /// How regions are cut.
    package var bins: RegionBins

    package init(_ bins: RegionBins) { self.bins = bins }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let (x, rois) = try inputs.regions(columns: 5)
        let shape = Shape([rois.dimension(0), x.dimension(1), .fixed(bins.height), .fixed(bins.width)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        switch (try call.input(0).element, try call.input(1).element) {
        case (.float32, .float32): return .kernel(try PreciseBins<Float>(self, call).kernel)
        case (.float64, .float64): return .kernel(try PreciseBins<Double>(self, call).kernel)
        case let (element, _): throw .unsupported("PrRoiPool on \(element)")
        }
    }
}

private struct PreciseBins<T: BinaryFloatingPoint & Sendable>: Sendable {
    let bins: RegionBins
    let x: [Int]
    let regions: Int

    init(_ op: PrRoiPool, _ call: Call) throws(Misfit) {
        bins = op.bins
        x = try call.extents(0)
        regions = try call.extents(1)[0]
    }

    var kernel: TileKernel {
        let (plan, tiling) = (self, Tiling(regions, cost: x[1] &* 4096))
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for region in tiling[tile] { plan.run(region, frame) }
        }
    }

    func run(_ region: Int, _ frame: Frame) {
        let roi = frame.input(1, as: T.self) + region * 5
        let cells = bins.height * bins.width
        let y = frame.output(0, as: T.self) + region * x[1] * cells
        y.update(repeating: 0, count: x[1] * cells)
        guard let image = roi.image(of: x[0]) else { return }
        let scale = Double(bins.scale)
        let (left, top) = (Double(roi[1]) * scale, Double(roi[2]) * scale)
        let width = max(0, Double(roi[3]) * scale - left) / Double(bins.width)
        let height = max(0, Double(roi[4]) * scale - top) / Double(bins.height)
        guard width * height > 0 else { return }
        let map = frame.input(0, as: T.self) + image * x[1] * x[2] * x[3]
        for i in 0..<bins.height {
            let v = span(top + Double(i) * height, height, x[2])
            for j in 0..<bins.width {
                let h = span(left + Double(j) * width, width, x[3])
                for channel in 0..<x[1] {
                    let plane = map + channel * x[2] * x[3]
                    let sum = integral(plane, v, h)
                    y[channel * cells + i * bins.width + j] = T(sum / (width * height))
                }
            }
        }
    }

    private struct Span { var from, to: Double; var cells: Range<Int> }

    private func span(_ from: Double, _ length: Double, _ extent: Int) -> Span {
        let low = Int(saturating: min(Double(extent), max(0, from.rounded(.down))))
        let high = Int(saturating: min(Double(extent), max(0, (from + length).rounded(.up) + 1)))
        return Span(from: from, to: from + length, cells: low..<max(low, high))
    }

    private func integral(_ plane: UnsafePointer<T>, _ v: Span, _ h: Span) -> Double {
        var sum = 0.0
        for row in v.cells {
            var line = 0.0
            for column in h.cells { line += Double(plane[row * x[3] + column]) * weight(h, column) }
            sum += line * weight(v, row)
        }
        return sum
    }

    private func weight(_ span: Span, _ cell: Int) -> Double {
        hat(span.to - Double(cell)) - hat(span.from - Double(cell))
    }

    /// The integral of max(0, 1 − |t|) up to `t`.
    private func hat(_ t: Double) -> Double {
        if t <= -1 { return 0 }
        if t < 0 { return (t + 1) * (t + 1) / 2 }
        return t < 1 ? 1 - (1 - t) * (1 - t) / 2 : 1
    }
}
