internal import CKernels
internal import DCNGraph

/// How regions of interest are scaled and cut into bins.
package struct RegionBins: Sendable, Hashable, Codable {
    /// Bins of a region.
    package var height: Int
    /// Bins of a region.
    package var width: Int
    /// Cells of the feature map per unit of region coordinates.
    package var scale: Float
    /// Samples of a bin along each axis; 0 or less: as many as it has cells, rounded up.
    package var samplingRatio: Int
    /// Subtracted from scaled coordinates.
    package var offset: Float
    /// The least width and height of a scaled region, where there is one.
    package var minimum: Float?

    /// Bins from their parts.
    package init(
        height: Int, width: Int, scale: Float = 1, samplingRatio: Int = 0, offset: Float = 0,
        minimum: Float? = nil
    ) {
        self.height = height
        self.width = width
        self.scale = scale
        self.samplingRatio = samplingRatio
        self.offset = offset
        self.minimum = minimum
    }

    /// Bins of a region, and parts that bins are looked up in, along an axis.
    static let most = 4096
    /// Samples of a bin along an axis.
    static let mostSamples = 256

    /// Throws unless the counts are sensible.
    func check() throws(Misfit) {
        for (name, value) in [("pooled height", height), ("pooled width", width)]
        where value < 1 || value > Self.most {
            throw .attribute(name, because: "is \(value), expected 1 … \(Self.most)")
        }
        guard samplingRatio <= Self.mostSamples else {
            throw .attribute(
                "sampling_ratio", because: "is \(samplingRatio), expected at most \(Self.mostSamples)")
        }
    }

    /// The bins for the kernels, without the feature map.
    var shape: dcn_roi {
        var shape = dcn_roi()
        shape.pooled_height = height
        shape.pooled_width = width
        shape.scale = scale
        shape.offset = offset
        shape.minimum = minimum ?? -.infinity
        shape.sampling_ratio = Int32(clamping: max(0, samplingRatio))
        shape.mode = DCN_ROI_AVERAGE
        return shape
    }
}

extension Inputs {
    /// Feature map and regions of a pooling, checked; `columns` are those of a region.
    func regions(
        columns: Int, map: Int = 0, rois: Int = 1, floats: [ElementType] = ElementType.reals
    ) throws(Misfit) -> (map: Operand, rois: Operand) {
        let x = try required(map, "X", rank: 4)
        try x.expect(floats)
        let regions = try required(rois, "rois", rank: 2)
        try regions.expect(floats)
        try regions.expect(columns, along: 1, because: "the numbers of a region")
        return (x, regions)
    }

    /// Whether an input is float32, so that kernels take it channels last.
    func isFloat32(_ index: Int) -> Bool { index < types.count && types[index]?.tensor?.element == .float32 }
}
