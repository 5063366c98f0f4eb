internal import CKernels
package import DCNGraph

/// Average pooling whose bins read channels of their own (R-FCN).
///
///     y[r, o, i, j] = mean of x[batch(r), (o·g + gi)·g + gj] over the whole cells of bin (i, j);  gi = ⌊i·g / bins⌋
///
/// Inputs: X `[N, output · g · g, H, W]`, rois `[R, 5]`. Output `[R, output, height, width]`. Empty bins, regions that are not finite
/// and batch indices that do not exist give 0. Where wanted, a second output holds the channel (int32) that each bin reads.
package struct PSRoiPool: Operator {
    package static let name = "PSRoiPool"
    /// How regions are cut.
    package var bins: RegionBins
    /// Channels of the output.
    package var outputChannels: Int
    /// Groups along each axis; nil: as many as there are bins.
    package var group: Int?
    /// Whether edges are rounded after scaling, ends are not inclusive, and the last row and column are left out
    /// (torchvision); else they are rounded before, and the end is one more.
    package var roundsAfterScaling: Bool

    package init(_ bins: RegionBins, outputChannels: Int, group: Int?, roundsAfterScaling: Bool = false) {
        self.bins = bins
        self.outputChannels = outputChannels
        self.group = group
        self.roundsAfterScaling = roundsAfterScaling
    }

    /// Groups along rows and columns.
    package var groups: (rows: Int, columns: Int) {
        group.map { ($0, $0) } ?? (bins.height, bins.width)
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let (x, rois) = try inputs.regions(columns: 5)
        let y = try positionSensitiveType(x, rois, bins, outputChannels, groups)
        return inputs.outputCount > 1 ? [y, .tensor(TensorType(.int32, y.tensor?.shape))] : [y]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (element, groups) = (try call.input(0).element, groups)
        if element == .float64 { return .kernel(try PlainPSRoiPool<Double>(self, call).kernel) }
        if element == .float32, groups.rows != groups.columns {
            return .kernel(try PlainPSRoiPool<Float>(self, call).kernel)
        }
        var shape = bins.shape
        shape.region = roundsAfterScaling ? DCN_REGION_ROUND_AFTER : DCN_REGION_ROUND_BEFORE
        (shape.output_channels, shape.group) = (outputChannels, groups.rows)
        return .kernel(try PositionKernel(.pool, shape, call, name: "PSRoiPool").kernel)
    }
}

func positionSensitiveType(
    _ x: Operand, _ rois: Operand, _ bins: RegionBins, _ outputs: Int,
    _ groups: (rows: Int, columns: Int)
) throws(Misfit) -> ValueType {
    try bins.check()
    for group in [groups.rows, groups.columns] where !(1...RegionBins.most).contains(group) {
        throw .attribute("group_size", because: "is \(group), expected 1 … \(RegionBins.most)")
    }
    guard (1...(1 << 24)).contains(outputs) else {
        throw .attribute("output_dim", because: "is \(outputs), expected 1 … \(1 << 24)")
    }
    try x.expect(outputs * groups.rows * groups.columns, along: 1, because: "output_dim × group_size²")
    let shape = Shape([rois.dimension(0), .fixed(outputs), .fixed(bins.height), .fixed(bins.width)])
    return .tensor(TensorType(x.element, shape))
}

/// Position sensitive pooling whose bins are moved by learnt displacements (the paper's DeformablePSROIPooling).
///
/// Inputs: X `[N, output · g · g, H, W]`, rois `[R, 5]`, displacements `[R, 2 · classes, part, part]` (x before y) or left out.
/// A bin is the mean of `samples²` bilinear samples from its upper left edge on; samples more than half a cell outside do not
/// count, and a bin without samples is 0. Regions that are not finite give 0.
package struct DeformPSRoiPool: Operator {
    package static let name = "DeformPSRoiPool"
    /// How regions are cut.
    package var bins: RegionBins
    /// Channels of the output.
    package var outputChannels: Int
    /// Groups along each axis.
    package var group: Int
    /// Displacements along each axis.
    package var part: Int
    /// Samples of a bin along y and x.
    package var samples: [Int]
    /// Displacements are this share of the region's size.
    package var displacementScale: Float

    package init(
        _ bins: RegionBins, outputChannels: Int, group: Int, part: Int, samples: [Int],
        displacementScale: Float
    ) {
        self.bins = bins
        self.outputChannels = outputChannels
        self.group = group
        self.part = part
        self.samples = samples
        self.displacementScale = displacementScale
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let (x, rois) = try inputs.regions(columns: 5)
        guard samples.count == 2, samples.allSatisfy({ (1...RegionBins.mostSamples).contains($0) }) else {
            throw .attribute(
                "sample_per_part", because: "is \(samples), expected 1 … \(RegionBins.mostSamples)")
        }
        guard (1...RegionBins.most).contains(part) else {
            throw .attribute("part_size", because: "is \(part), expected 1 … \(RegionBins.most)")
        }
        if let trans = try inputs.optional(2, "trans", rank: 4) {
            try trans.expect(rois.dimension(0), along: 0, because: "one for each region")
            if let channels = trans.dimension(1).fixed,
                channels < 2 || channels % 2 != 0 || outputChannels % (channels / 2) != 0
            {
                throw .extent(
                    of: "trans", axis: 1, expected: "2 × a divisor of \(outputChannels)", got: "\(channels)",
                    because: "x and y for each class")
            }
            try trans.expect(part, along: 2, because: "part_size")
            try trans.expect(part, along: 3, because: "part_size")
        }
        return [try positionSensitiveType(x, rois, bins, outputChannels, (group, group))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if try call.input(0).element == .float64 {
            return .kernel(try PlainDeformPSRoiPool(self, call).kernel)
        }
        var shape = bins.shape
        shape.region = DCN_REGION_ROUND_BEFORE
        (shape.output_channels, shape.group, shape.part) = (outputChannels, group, part)
        shape.classes = call.has(2) ? try call.extents(2)[1] / 2 : 1
        shape.trans_scale = displacementScale
        (shape.samples_y, shape.samples_x) = (Int32(clamping: samples[0]), Int32(clamping: samples[1]))
        let trans = call.has(2) ? 2 : nil
        return .kernel(
            try PositionKernel(.deformable, shape, call, displacements: trans, name: "DeformPSRoiPool").kernel
        )
    }
}
