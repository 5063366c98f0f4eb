package import DCNGraph

/// The regions of the highest scores, of one or more lists (Caffe2's CollectRpnProposals, OpenVINO's ExperimentalDetectronTopKROIs).
///
/// Inputs: L lists of regions `[Rₗ, D]`, then their scores `[Rₗ]`. Output: `[K, D]` by descending score, equal ones as they come; K is the limit
/// (0 or less: none), or fewer where there are fewer, or, padded, the limit with zeros. A score that is NaN counts as
/// the greatest.
package struct BestRegions: Composite {
    package static let name = "BestRegions"
    /// How many come out.
    package var limit: Int
    /// Whether rows that are missing are zeros.
    package var isPadded: Bool

    package init(limit: Int, isPadded: Bool) {
        self.limit = limit
        self.isPadded = isPadded
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let first = try inputs.required(0, "rois", rank: 2)
        _ = try inputs.required(1, "scores")
        guard inputs.count % 2 == 0 else {
            throw .value(
                of: "the node", because: "has \(inputs.count) inputs, expected as many scores as regions")
        }
        guard limit <= 1 << 20, !isPadded || limit > 0 else {
            throw .attribute("max_rois", because: "is \(limit), expected 1 … \(1 << 20)")
        }
        try first.expect([.float32, .float16, .bfloat16, .float64])
        for index in 0..<inputs.count / 2 {
            let regions = try inputs.required(index, "rois", rank: 2)
            let scores = try inputs.required(inputs.count / 2 + index, "scores")
            for operand in [regions, scores] { try operand.expectSameElement(as: first) }
            try regions.expect(first.dimension(1), along: 1, because: "as the first regions")
            try scores.expect(regions.dimension(0), along: 0, because: "one for each region")
        }
        return [
            .tensor(
                TensorType(first.element, Shape([isPadded ? .fixed(limit) : .unknown, first.dimension(1)])))
        ]
    }
}

/// Anchors about the middle of each cell of a map (OpenVINO's ExperimentalDetectronPriorGridGenerator).
///
///     y[i, j, a] = prior[a] + ((j + ½)·step x, (i + ½)·step y) twice
///
/// Inputs: priors `[A, 4]`, the map `[1, C, H, W]` and the image `[1, C, height, width]`, of which only the extents are read. Output `[H·W·A, 4]`,
/// or `[H, W, A, 4]`. Steps are the image's extents by the map's where none are given. A map without cells has none.
package struct PriorGrid: Composite {
    package static let name = "PriorGrid"
    /// Extents in the place of the map's; 0: the map's.
    package var height = 0, width = 0
    /// Steps in the image; 0: what is said above.
    package var stepX: Float = 0, stepY: Float = 0
    /// Whether cells and anchors are one axis.
    package var isFlat = true

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let priors = try inputs.required(0, "priors", rank: 2)
        let map = try inputs.required(1, "feature_map", rank: 4)
        _ = try inputs.required(2, "im_data", rank: 4)
        try priors.expect([.float32, .float16, .bfloat16, .float64])
        try priors.expect(4, along: 1, because: "corners")
        for (name, value) in [("h", height), ("w", width)] where !(0...(1 << 16)).contains(value) {
            throw .attribute(name, because: "is \(value), expected 0 … \(1 << 16)")
        }
        let rows = height > 0 ? Dimension.fixed(height) : map.dimension(2)
        let columns = width > 0 ? Dimension.fixed(width) : map.dimension(3)
        let all = [rows, columns, priors.dimension(0)]
        return [.tensor(TensorType(priors.element, Shape(isFlat ? [Dimension.product(all), 4] : all + [4])))]
    }
}

/// Boxes of each class from the displacements of regions (Caffe2's BBoxTransform).
///
/// Regions, divided by their image's scale, are displaced by the network's numbers over `weights`, sizes growing by no more than 1000 / 16, and
/// cut to the image as it was before scaling. Inputs: regions `[R, 4]`, or `[R, 5]` with the image first, displacements `[R, 4·C]`,
/// images `[N, 3]` of (height, width, scale). Outputs: boxes `[R, 4·C]`, and, where wanted, floats `[N]`: the regions of each image.
/// An edge that comes out NaN stays NaN.
package struct BoxTransform: Composite {
    package static let name = "BoxTransform"
    /// What displacements are divided by.
    package var weights: [Float]
    /// Whether boxes are scaled as the image.
    package var scales: Bool
    /// 1 where edges are inclusive.
    package var plus: Int

    package init(weights: [Float], scales: Bool, plus: Int) {
        self.weights = weights
        self.scales = scales
        self.plus = plus
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let regions = try inputs.required(0, "rois", rank: 2)
        let deltas = try inputs.required(1, "deltas", rank: 2)
        let images = try inputs.required(2, "im_info", rank: 2)
        try regions.expect([.float32, .float16, .bfloat16, .float64])
        for operand in [deltas, images] { try operand.expectSameElement(as: regions) }
        guard weights.count == 4 else {
            throw .attribute("weights", because: "has \(weights.count) numbers, expected 4")
        }
        if let columns = regions.dimension(1).fixed {
            guard columns == 4 || columns == 5 else {
                throw .extent(of: "rois", axis: 1, expected: "4 or 5", got: "\(columns)", because: "corners")
            }
            if columns == 4 { try images.expect(1, along: 0, because: "regions without images") }
        }
        if let columns = deltas.dimension(1).fixed, columns % 4 != 0 {
            throw .extent(
                of: "deltas", axis: 1, expected: "a multiple of 4", got: "\(columns)", because: "classes")
        }
        try deltas.expect(regions.dimension(0), along: 0, because: "one row for each region")
        try images.expect(3, along: 1, because: "height, width and scale")
        let counts = TensorType(regions.element, Shape([images.dimension(0)]))
        let types: [ValueType] = [.tensor(deltas.type), .tensor(counts)]
        return Array(types.prefix(max(1, inputs.outputCount)))
    }
}

/// Regions by the level of a feature pyramid that fits their size (Caffe2's DistributeFpnProposals).
///
///     level = clamp(⌊canonical level + log₂(√(width · height) / canonical size + 10⁻⁶)⌋, first, last)
///
/// Input: regions `[R, 4]` (their image is 0) or `[R, 5]` with the image first. Outputs: the regions of each level `[Rₗ, 5]`, in order; then int32 `[R]`,
/// where each region stands among all of these. An area that is NaN or below 0 counts as 0.
package struct RegionLevels: Composite {
    package static let name = "RegionLevels"
    /// The first level and the last.
    package var first: Int, last: Int
    /// The size of regions of the canonical level.
    package var canonicalSize: Float
    /// The level of regions of canonical size.
    package var canonicalLevel: Int
    /// 1 where edges are inclusive.
    package var plus: Int

    package init(first: Int, last: Int, canonicalSize: Float, canonicalLevel: Int, plus: Int) {
        self.first = first
        self.last = last
        self.canonicalSize = canonicalSize
        self.canonicalLevel = canonicalLevel
        self.plus = plus
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let regions = try inputs.required(0, "rois", rank: 2)
        try regions.expect([.float32, .float16, .bfloat16, .float64])
        if let columns = regions.dimension(1).fixed, columns != 4, columns != 5 {
            throw .extent(of: "rois", axis: 1, expected: "4 or 5", got: "\(columns)", because: "corners")
        }
        for (name, value) in [
            ("roi_min_level", first), ("roi_max_level", last), ("roi_canonical_level", canonicalLevel),
        ] where !(-64...64).contains(value) {
            throw .attribute(name, because: "is \(value), expected -64 … 64")
        }
        guard first <= last, canonicalSize > 0 else {
            throw .attribute("roi_max_level", because: "is \(last), expected \(first) or more")
        }
        let level = ValueType.tensor(TensorType(regions.element, [.unknown, 5]))
        let order = ValueType.tensor(TensorType(.int32, Shape([regions.dimension(0)])))
        let types = [ValueType](repeating: level, count: last - first + 1) + [order]
        return Array(types.prefix(max(1, inputs.outputCount)))
    }
}
