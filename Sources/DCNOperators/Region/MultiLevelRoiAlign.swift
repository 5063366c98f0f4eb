internal import CKernels
package import DCNGraph

/// RoiAlign on the level of a feature pyramid that fits each region's size.
///
///     level = clamp(⌊log₂(√(width · height) / canonical + 10⁻⁶)⌋ + shift, 0, levels − 1)
///
/// Inputs: rois, `[R, 5]` with the batch index first or `[R, 4]` (batch 0; rotated: one more), then the levels `[N, C, Hₗ, Wₗ]`.
/// Outputs: `[R, C, height, width]`; where wanted also the regions as they came. Regions without area are 0 where
/// `skipsEmpty`; regions that are not finite always.
package struct MultiLevelRoiAlign: Operator {
    package static let name = "MultiLevelRoiAlign"
    /// How regions are cut; the scale is the level's.
    package var bins: RegionBins
    /// How samples become one value.
    package var mode: RoiAlign.Mode
    /// Cells per unit of region coordinates, by level.
    package var scales: [Float]
    /// The size of regions of level `shift`.
    package var canonicalSize: Float
    /// The level of regions of canonical size.
    package var levelShift: Int
    /// Factor of the regions' sizes, about their centres, once the level is chosen; 0 for none.
    package var growth: Float
    /// Whether regions have angles, with the factor that makes radians of them.
    package var angleScale: Float?
    /// Whether the batch index comes with the region.
    package var hasBatches: Bool
    /// Whether regions without area give 0.
    package var skipsEmpty: Bool

    package init(
        _ bins: RegionBins, mode: RoiAlign.Mode = .average, scales: [Float], canonicalSize: Float,
        levelShift: Int = 0,
        growth: Float = 0, angleScale: Float? = nil, hasBatches: Bool = true, skipsEmpty: Bool = false
    ) {
        self.bins = bins
        self.mode = mode
        self.scales = scales
        self.canonicalSize = canonicalSize
        self.levelShift = levelShift
        self.growth = growth
        self.angleScale = angleScale
        self.hasBatches = hasBatches
        self.skipsEmpty = skipsEmpty
    }

    /// The level of regions of some area.
    package func level(ofArea area: Float, of count: Int) -> Int {
        let share = area.squareRoot() / canonicalSize + 1e-6
        let value = Elementary.log(Double(share)) / Elementary.log(2)
        guard value.isFinite else { return value == .infinity ? count - 1 : 0 }
        return min(max(0, Int(saturating: value.rounded(.down)) + levelShift), count - 1)
    }

    private var columns: Int { (hasBatches ? 5 : 4) + (angleScale == nil ? 0 : 1) }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try bins.check()
        let rois = try inputs.required(0, "rois", rank: 2)
        try rois.expect(ElementType.reals)
        try rois.expect(columns, along: 1, because: "the numbers of a region")
        guard inputs.count >= 2 else { throw .missing("a feature map") }
        guard (-1024...1024).contains(levelShift) else {
            throw .attribute("the shift of levels", because: "is \(levelShift), expected -1024 … 1024")
        }
        guard scales.count >= inputs.count - 1 else {
            throw .attribute(
                "scales",
                because: "has \(scales.count) entries, expected one for each of \(inputs.count - 1) levels")
        }
        let first = try inputs.required(1, "feature map 0", rank: 4)
        for index in 1..<inputs.count {
            let map = try inputs.required(index, "feature map \(index - 1)", rank: 4)
            try map.expectSameElement(as: rois)
            try map.expect(first.dimension(1), along: 1, because: "all levels have as many channels")
        }
        let shape = Shape([rois.dimension(0), first.dimension(1), .fixed(bins.height), .fixed(bins.width)])
        let y = ValueType.tensor(TensorType(first.element, shape))
        return inputs.outputCount > 1 ? [y, .tensor(rois.type)] : [y]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        inputs.isFloat32(0) ? .channelsLast(inputs: Set(1..<max(1, inputs.count)), outputs: []) : .rowMajor
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .kernel(try LevelKernel(self, call).kernel)
    }
}

private struct LevelKernel: Sendable {
    let op: MultiLevelRoiAlign
    let shapes: [dcn_roi]
    let maps: [MapRelayout]
    let isLast: [Bool]
    let regions, columns, channels: Int
    let copiesRegions: Bool
    let simd: Simd

    init(_ op: MultiLevelRoiAlign, _ call: Call) throws(Misfit) {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MultiLevelRoiAlign on \(try call.input(0).element)")
        }
        self.op = op
        let rois = try call.extents(0)
        (regions, columns) = (rois[0], rois[1])
        channels = try call.extents(1)[1]
        var (shapes, maps, isLast): ([dcn_roi], [MapRelayout], [Bool]) = ([], [], [])
        for level in 1..<call.inputs.count {
            let extents = try call.extents(level)
            var shape = op.bins.shape
            (shape.batch, shape.channels, shape.height, shape.width) = (
                extents[0], extents[1], extents[2], extents[3]
            )
            shape.x_stride = paddedChannels(extents[1])
            shape.roi_stride = 6
            shape.scale = op.scales[level - 1]
            shape.angle_scale = op.angleScale ?? 0
            op.mode.set(&shape)
            shapes.append(shape)
            maps.append(MapRelayout(batch: extents[0], channels: extents[1], cells: extents[2] * extents[3]))
            isLast.append(try call.input(level).layout == .channelsLast)
        }
        (self.shapes, self.maps, self.isLast) = (shapes, maps, isLast)
        copiesRegions = call.outputs.count > 1 && call.outputs[1] != nil
        simd = try Simd(call.instructionSet)
    }

    var kernel: TileKernel {
        var scratch = 64
        for var shape in shapes { scratch = max(scratch, dcn_roi_scratch(&shape)) }
        scratch = (scratch + 63) / 64 * 64
        let total = zip(maps, isLast).reduce(0) { $0 &+ ($1.1 ? 0 : $1.0.byteCount) }
        let plan = self
        let offset = scratch
        let tiling = Tiling(
            regions, cost: total > 0 ? 1 : 16_384, target: total > 0 ? 1 << 50 : 16_384,
            limit: total > 0 ? 1 : 64)
        return TileKernel(tiles: tiling.tiles, scratch: scratch + total + 64) { (tile, frame) in
            plan.run(tiling[tile], frame, frame.scratch + 64, maps: frame.scratch + 64 + offset)
        }
    }

    private func run(
        _ range: Range<Int>, _ frame: Frame, _ scratch: UnsafeMutableRawPointer,
        maps start: UnsafeMutableRawPointer
    ) {
        for region in range {
            let source = frame.input(0, as: Float.self) + region * columns
            if copiesRegions {
                frame.optionalOutput(1, as: Float.self).map {
                    ($0 + region * columns).update(from: source, count: columns)
                }
            }
        }
        var place = start
        for level in shapes.indices {
            var x = frame.input(level + 1, as: Float.self)
            if !isLast[level] {
                x = maps[level].run(x, place.assumingMemoryBound(to: Float.self))
                place += maps[level].byteCount
            }
            for region in range { run(region, level, x, frame, scratch) }
        }
    }

    /// Pools a region if this is its level.
    private func run(
        _ region: Int, _ level: Int, _ x: UnsafePointer<Float>, _ frame: Frame,
        _ scratch: UnsafeMutableRawPointer
    ) {
        let source = frame.input(0, as: Float.self) + region * columns
        let row = (scratch - 64).assumingMemoryBound(to: Float.self)
        row[0] = op.hasBatches ? source[0] : 0
        let corner = op.hasBatches ? source + 1 : source
        for index in 0..<(op.angleScale == nil ? 4 : 5) { row[index + 1] = corner[index] }
        guard self.level(row) == level else { return }
        let count = channels * op.bins.height * op.bins.width
        let y = frame.output(0, as: Float.self) + region * count
        let (width, height) = size(row)
        if op.skipsEmpty, !(width * height > 0) {
            y.update(repeating: 0, count: count)
            return
        }
        if op.growth > 0 { grow(row) }
        var shape = shapes[level]
        var operands = dcn_regions()
        operands.rois = UnsafePointer(row)
        if op.angleScale == nil {
            simd.table.pointee.roi_align_f32(&shape, x, &operands, y, scratch, 0, 1)
        } else {
            simd.table.pointee.roi_align_rotated_f32(&shape, x, &operands, y, scratch, 0, 1)
        }
    }

    private func size(_ row: UnsafeMutablePointer<Float>) -> (width: Float, height: Float) {
        op.angleScale == nil ? (row[3] - row[1], row[4] - row[2]) : (row[3], row[4])
    }

    private func level(_ row: UnsafeMutablePointer<Float>) -> Int {
        let (width, height) = size(row)
        return op.level(ofArea: width * height, of: shapes.count)
    }

    private func grow(_ row: UnsafeMutablePointer<Float>) {
        guard op.angleScale == nil else {
            row[3] *= op.growth
            row[4] *= op.growth
            return
        }
        for axis in 1...2 {
            let centre = (row[axis] + row[axis + 2]) * 0.5
            let half = (row[axis + 2] - row[axis] + 1) * op.growth * 0.5 - 0.5
            (row[axis], row[axis + 2]) = (centre - half, centre + half)
        }
    }
}
