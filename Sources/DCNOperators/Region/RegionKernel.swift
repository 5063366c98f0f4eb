internal import CKernels
internal import DCNGraph

/// The kernels of regions on a feature map.
struct RegionKernel: Sendable {
    /// Which kernel.
    enum Kind: Sendable { case align, rotated, maximum, deformable }
    let kind: Kind
    var shape: dcn_roi
    let regions: Int
    let batches: Int?
    let displacements: Int?
    let isLast: Bool
    let simd: Simd

    /// A kernel on input 0 with regions in input 1; batch indices and displacements in inputs where they are apart.
    init(
        _ kind: Kind, _ shape: dcn_roi, _ call: Call, batches: Int? = nil, displacements: Int? = nil,
        name: String
    ) throws(Misfit) {
        self.kind = kind
        self.shape = try shape.placed(in: call, displacements: displacements, name: name)
        self.shape.x_stride = paddedChannels(self.shape.channels)
        regions = try call.extents(1)[0]
        self.batches = batches
        self.displacements = displacements
        isLast = try call.input(0).layout == .channelsLast
        simd = try Simd(call.instructionSet)
    }

    /// Tiles of whole regions; a row-major map is laid out otherwise first, in the one tile there then is.
    var kernel: TileKernel {
        var copy = shape
        let scratch = dcn_roi_scratch(&copy)
        let bins = shape.pooled_height &* shape.pooled_width &* shape.x_stride
        let plan = self
        guard isLast else {
            let map = MapRelayout(
                batch: shape.batch, channels: shape.channels, cells: shape.height * shape.width)
            return TileKernel(tiles: regions > 0 ? 1 : 0, scratch: scratch + map.byteCount) { (_, frame) in
                let x = map.run(frame.input(0, as: Float.self), frame.scratch(as: Float.self))
                plan.run(0..<plan.regions, x, frame, frame.scratch + map.byteCount)
            }
        }
        let tiling = Tiling(regions, cost: bins &* 16)
        return TileKernel(tiles: tiling.tiles, scratch: scratch) { (tile, frame) in
            plan.run(tiling[tile], frame.input(0, as: Float.self), frame, frame.scratch)
        }
    }

    private func run(
        _ range: Range<Int>, _ x: UnsafePointer<Float>, _ frame: Frame, _ scratch: UnsafeMutableRawPointer
    ) {
        var shape = shape
        var operands = dcn_regions()
        operands.rois = frame.input(1, as: Float.self)
        operands.batches = batches.flatMap { frame.optionalInput($0, as: Int64.self) }
        operands.trans = displacements.flatMap { frame.optionalInput($0, as: Float.self) }
        let y = frame.output(0, as: Float.self)
        let table = simd.table.pointee
        switch kind {
        case .align: table.roi_align_f32(&shape, x, &operands, y, scratch, range.lowerBound, range.upperBound)
        case .rotated:
            table.roi_align_rotated_f32(&shape, x, &operands, y, scratch, range.lowerBound, range.upperBound)
        case .maximum:
            table.roi_max_pool_f32(&shape, x, &operands, y, scratch, range.lowerBound, range.upperBound)
        case .deformable:
            table.roi_deform_pool_f32(&shape, x, &operands, y, scratch, range.lowerBound, range.upperBound)
        }
    }
}

extension dcn_roi {
    /// The same with the extents of the map in input 0 and the regions in input 1; all operands have to be float32.
    fileprivate func placed(
        in call: Call, displacements: Int?, name: String
    ) throws(Misfit) -> dcn_roi {
        for index in [0, 1] + (displacements.map { [$0] } ?? [])
        where try call.input(index).element != .float32 {
            throw .unsupported("\(name) on \(try call.input(index).element)")
        }
        var shape = self
        let extents = try call.extents(0)
        (shape.batch, shape.channels) = (extents[0], extents[1])
        (shape.height, shape.width) = (extents[2], extents[3])
        shape.roi_stride = try call.extents(1)[1]
        return shape
    }
}

/// Copies row-major feature maps to channels last.
struct MapRelayout: Sendable {
    let batch, channels, cells: Int

    /// Bytes of the copy, a multiple of 64.
    var byteCount: Int { batch &* cells &* paddedChannels(channels) &* 4 }

    /// Fills `y` and returns it.
    func run(_ x: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>) -> UnsafePointer<Float> {
        let pixel = paddedChannels(channels)
        y.update(repeating: 0, count: batch * cells * pixel)
        for item in 0..<batch {
            for channel in 0..<channels {
                let source = x + (item * channels + channel) * cells
                let target = y + item * cells * pixel + channel
                for cell in 0..<cells { target[cell * pixel] = source[cell] }
            }
        }
        return UnsafePointer(y)
    }
}

/// The kernels of position sensitive regions, on row-major maps.
struct PositionKernel: Sendable {
    /// Which kernel.
    enum Kind: Sendable { case pool, align, deformable }
    let kind: Kind
    var shape: dcn_roi
    let regions: Int
    let batches: Int?
    let displacements: Int?
    let simd: Simd
    /// Whether output 1 gets the channel that each bin reads.
    let givesChannels: Bool

    /// A kernel on input 0 with regions in input 1.
    init(
        _ kind: Kind, _ shape: dcn_roi, _ call: Call, batches: Int? = nil, displacements: Int? = nil,
        name: String
    ) throws(Misfit) {
        self.kind = kind
        self.shape = try shape.placed(in: call, displacements: displacements, name: name)
        regions = try call.extents(1)[0]
        self.batches = batches
        self.displacements = displacements
        simd = try Simd(call.instructionSet)
        givesChannels = call.outputs.count > 1 && call.outputs[1] != nil
    }

    /// The channel of X for each bin of a region, the same for all.
    private func writeChannels(_ frame: Frame) {
        guard givesChannels, let map = frame.optionalOutput(1, as: Int32.self) else { return }
        let (height, width, group) = (shape.pooled_height, shape.pooled_width, shape.group)
        let cells = height * width
        for index in 0..<(regions * shape.output_channels * cells) {
            let (bin, channel) = (index % cells, index / cells % shape.output_channels)
            let (i, j) = (bin / width * group / height, bin % width * group / width)
            map[index] = Int32(clamping: (channel * group + i) * group + j)
        }
    }

    var kernel: TileKernel {
        var copy = shape
        let scratch = dcn_ps_roi_scratch(&copy)
        let units = dcn_ps_roi_units(&copy)
        let tiling = Tiling(regions > 0 ? units : 0, cost: 16_384, limit: 64)
        let plan = self
        return TileKernel(tiles: tiling.tiles, scratch: scratch) { (tile, frame) in
            var shape = plan.shape
            var operands = dcn_regions()
            operands.rois = frame.input(1, as: Float.self)
            operands.batches = plan.batches.flatMap { frame.optionalInput($0, as: Int64.self) }
            operands.trans = plan.displacements.flatMap { frame.optionalInput($0, as: Float.self) }
            let (x, y) = (frame.input(0, as: Float.self), frame.output(0, as: Float.self))
            let table = plan.simd.table.pointee
            if tile == 0 { plan.writeChannels(frame) }
            let (begin, end) = (tiling[tile].lowerBound, tiling[tile].upperBound)
            switch plan.kind {
            case .pool:
                table.ps_roi_pool_f32(&shape, x, &operands, plan.regions, y, frame.scratch, begin, end)
            case .align:
                table.ps_roi_align_f32(&shape, x, &operands, plan.regions, y, frame.scratch, begin, end)
            case .deformable:
                table.ps_roi_deform_pool_f32(&shape, x, &operands, plan.regions, y, frame.scratch, begin, end)
            }
        }
    }
}
