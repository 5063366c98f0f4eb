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

        /// Tells the kernels.
        func set(_ shape: inout dcn_roi) {
            switch self {
            case .average: shape.mode = DCN_ROI_AVERAGE
            case .maximum(let initial): (shape.mode, shape.initial) = (DCN_ROI_MAX, initial)
            case .maximumCorner: shape.mode = DCN_ROI_MAX_CORNER
            }
        }
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
        mode.set(&shape)
        let (element, batches) = (try call.input(0).element, call.has(2) ? 2 : nil)
        if element == .float64 { return .kernel(try PlainRoiAlign<Double>(self, call).kernel) }
        guard isPositionSensitive else {
            let kind = angleScale == nil ? RegionKernel.Kind.align : .rotated
            return .kernel(try RegionKernel(kind, shape, call, batches: batches, name: "RoiAlign").kernel)
        }
        if bins.height != bins.width, element == .float32 {
            return .kernel(try PlainRoiAlign<Float>(self, call).kernel)
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
