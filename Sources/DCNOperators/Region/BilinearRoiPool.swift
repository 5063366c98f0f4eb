package import DCNGraph

/// One bilinear sample for each bin and part of a region, the outermost on the region's edges (OpenVINO's bilinear
/// ROIPooling and PSROIPooling).
///
///     y[r, o, i, j] = mean over parts (u, v) of x[batch(r), (u · parts across + v) · outputs + o] at
///         (top + u · h + i · h / (height − 1)) · (H − 1), h the part's height; its middle where there is one row of bins
///
/// Inputs: X `[N, outputs · parts, H, W]`, rois `[R, 5]` whose corners are shares of the image. Output `[R, outputs, height, width]`.
/// Samples outside the pixels' centres, of images that do not exist or of regions that are not finite are 0.
package struct BilinearRoiPool: Operator {
    package static let name = "BilinearRoiPool"
    /// How regions are cut.
    package var bins: RegionBins
    /// Parts of a region along y and x.
    package var parts: [Int]

    package init(_ bins: RegionBins, parts: [Int] = [1, 1]) {
        self.bins = bins
        self.parts = parts
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let (x, rois) = try inputs.regions(columns: 5)
        guard parts.count == 2, parts.allSatisfy({ (1...256).contains($0) }) else {
            throw .attribute("spatial_bins", because: "are \(parts), expected two numbers of 1 … 256")
        }
        let count = parts[0] * parts[1]
        if let channels = x.dimension(1).fixed, channels % count != 0 {
            throw .extent(
                of: "X", axis: 1, expected: "a multiple of \(count)", got: "\(channels)", because: "the parts"
            )
        }
        let channels = x.dimension(1).fixed.map { Dimension.fixed($0 / count) } ?? .unknown
        let shape = Shape([rois.dimension(0), channels, .fixed(bins.height), .fixed(bins.width)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32, try call.input(1).element == .float32 else {
            throw .unsupported("BilinearRoiPool on \(try call.input(0).element)")
        }
        let (x, output) = (try call.extents(0), try call.outputExtents(0))
        let tiling = Tiling(output[0], cost: output[1] &* bins.height &* bins.width &* parts[0] &* parts[1])
        let op = self
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for region in tiling[tile] { op.run(region, x, channels: output[1], frame) }
            })
    }

    private func run(_ region: Int, _ x: [Int], channels: Int, _ frame: Frame) {
        let cells = bins.height * bins.width
        let roi = frame.input(1, as: Float.self) + region * 5
        let y = frame.output(0, as: Float.self) + region * channels * cells
        y.update(repeating: 0, count: channels * cells)
        guard (0..<5).allSatisfy({ roi[$0].isFinite }), roi[0] >= 0, roi[0] < Float(x[0]) else { return }
        let image = frame.input(0, as: Float.self) + Int(roi[0]) * x[1] * x[2] * x[3]
        for part in 0..<parts[0] * parts[1] {
            for cell in 0..<cells {
                let v = place(roi[2], roi[4], part / parts[1], cell / bins.width, axis: 0, x[2])
                let h = place(roi[1], roi[3], part % parts[1], cell % bins.width, axis: 1, x[3])
                guard v >= 0, v <= Float(x[2] - 1), h >= 0, h <= Float(x[3] - 1) else { continue }
                for channel in 0..<channels {
                    let plane = image + (part * channels + channel) * x[2] * x[3]
                    y[channel * cells + cell] +=
                        alignSample(plane, x[2], x[3], v, h) / Float(parts[0] * parts[1])
                }
            }
        }
    }

    private func place(_ from: Float, _ to: Float, _ part: Int, _ bin: Int, axis: Int, _ extent: Int) -> Float
    {
        let count = axis == 0 ? bins.height : bins.width
        let size = (to - from) * bins.scale / Float(parts[axis])
        let start = from * bins.scale + Float(part) * size
        let last = Float(extent - 1)
        guard count > 1 else { return (start + size / 2) * last }
        return Float(bin) * (size * last / Float(count - 1)) + start * last
    }
}
