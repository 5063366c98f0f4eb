internal import CKernels
internal import DCNGraph

/// A pooling on concrete extents, always with three spatial axes.
struct PoolPlan: Sendable {
    let items, channels: Int
    /// Depth, height, width; axes that are not there have extent 1.
    let axes: [PoolWindow.Axis]
    let pooling: Pooling
    let countsColumns: Bool
    let hasChannelsLast: Bool
    let wantsPositions: Bool

    init(_ op: Pool, _ call: Call) throws(Misfit) {
        let extents = try call.extents(0)
        items = extents[0]
        channels = op.hasChannelsLast ? extents[extents.count - 1] : extents[1]
        var axes: [PoolWindow.Axis] = []
        for index in op.window.kernel.indices {
            axes.append(try op.window.axis(index, extent: extents[(op.hasChannelsLast ? 1 : 2) + index]))
        }
        while axes.count < 3 { axes.insert(PoolWindow.Axis(), at: 0) }
        self.axes = axes
        pooling = op.pooling
        countsColumns = op.countsColumns
        hasChannelsLast = op.hasChannelsLast
        wantsPositions = call.outputs.count > 1 && call.outputs[1] != nil
    }

    var plane: Int { axes[0].extent &* axes[1].extent &* axes[2].extent }
    var cells: Int { axes[0].output &* axes[1].output &* axes[2].output }
    var windowSize: Int { axes[0].kernel &* axes[1].kernel &* axes[2].kernel }

    private var kind: dcn_pool_kind {
        switch pooling {
        case .maximum: DCN_POOL_MAX
        case .average: DCN_POOL_AVERAGE
        case .norm: DCN_POOL_LP
        }
    }

    private func shape(channels: Int, base: Int) -> dcn_pool {
        var shape = dcn_pool(axes, channels: channels)
        if case .average(true) = pooling { shape.count_include_pad = 1 }
        if case .norm(let order) = pooling { shape.order = max(1, Int32(clamping: order)) }
        shape.column_major = countsColumns ? 1 : 0
        shape.index_base = Int64(base)
        return shape
    }

    /// Channels last: a tile is some output rows of an item.
    func vectorLast(_ simd: Simd) -> TileKernel {
        let rows = axes[0].output * axes[1].output
        let pixel = paddedChannels(channels)
        let tiling = Tiling(rows, cost: axes[2].output &* pixel &* windowSize / 8)
        let plan = self
        return TileKernel(tiles: items * tiling.tiles) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var shape = plan.shape(channels: plan.channels, base: item * plan.channels * plan.plane)
            let positions =
                plan.wantsPositions
                ? frame.optionalOutput(1, as: Int64.self).map { $0 + item * plan.channels * plan.cells } : nil
            simd.table.pointee.pool_last_f32(
                plan.kind, &shape, frame.input(0, as: Float.self) + item * plan.plane * pixel,
                frame.output(0, as: Float.self) + item * plan.cells * pixel, positions, range.lowerBound,
                range.upperBound)
        }
    }

    /// Row-major: a tile is some planes.
    func vectorRows(_ simd: Simd) -> TileKernel {
        let tiling = Tiling(items * channels, cost: max(1, cells &* windowSize))
        let rows = axes[0].output * axes[1].output
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let range = tiling[tile]
            var shape = plan.shape(channels: range.count, base: range.lowerBound * plan.plane)
            let positions =
                plan.wantsPositions
                ? frame.optionalOutput(1, as: Int64.self).map { $0 + range.lowerBound * plan.cells } : nil
            simd.table.pointee.pool_rows_f32(
                plan.kind, &shape, frame.input(0, as: Float.self) + range.lowerBound * plan.plane,
                frame.output(0, as: Float.self) + range.lowerBound * plan.cells, positions, 0, rows)
        }
    }

    /// Where plane `index` of the input begins, and the distance of its cells.
    private func place(_ index: Int, cells: Int) -> (start: Int, step: Int) {
        hasChannelsLast
            ? (index / channels * channels * cells + index % channels, channels) : (index * cells, 1)
    }

    func maxima<T: Comparable & BitwiseCopyable & Sendable>(_ type: T.Type, least: T) -> TileKernel {
        planes { (plan, row, frame) in
            let (x, y) = (plan.place(row, cells: plan.plane), plan.place(row, cells: plan.cells))
            let source = frame.input(0, as: T.self) + x.start
            let target = frame.output(0, as: T.self) + y.start
            let positions = plan.wantsPositions ? frame.optionalOutput(1, as: Int64.self) : nil
            for cell in 0..<plan.cells {
                var (best, place) = (least, -1)
                plan.forEachCell(of: cell) { (offset, position) in
                    let value = source[offset * x.step]
                    guard place < 0 || value > best else { return }
                    (best, place) = (value, position)
                }
                target[cell * y.step] = best
                positions?[y.start + cell * y.step] = Int64(row * plan.plane + max(0, place))
            }
        }
    }

    func floating<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>(_ type: T.Type) -> TileKernel {
        if case .maximum = pooling { return maxima(type, least: -T.infinity) }
        return planes { (plan, row, frame) in
            let (x, y) = (plan.place(row, cells: plan.plane), plan.place(row, cells: plan.cells))
            let source = frame.input(0, as: T.self) + x.start
            let target = frame.output(0, as: T.self) + y.start
            for cell in 0..<plan.cells {
                target[cell * y.step] = T(plan.combine(cell) { Double(source[$0 * x.step]) })
            }
        }
    }

    private func combine(_ cell: Int, _ value: (Int) -> Double) -> Double {
        var (sum, count) = (0.0, 0)
        switch pooling {
        case .maximum: return 0
        case .average(let countsPadding):
            forEachCell(of: cell) { (offset, _) in
                sum += value(offset)
                count += 1
            }
            let divisor = countsPadding ? paddedCount(cell) : count
            return divisor == 0 ? 0 : sum / Double(divisor)
        case .norm(let order):
            forEachCell(of: cell) { (offset, _) in sum += Elementary.pow(abs(value(offset)), Double(order)) }
            return Elementary.pow(sum, 1 / Double(order))
        }
    }

    private func planes(_ body: @escaping @Sendable (PoolPlan, Int, Frame) -> Void) -> TileKernel {
        let tiling = Tiling(items * channels, cost: max(1, cells &* windowSize &* 4))
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] { body(plan, row, frame) }
        }
    }

    /// The window's start along each axis for output `cell`.
    private func starts(_ cell: Int) -> (Int, Int, Int) {
        let (w, rest) = (cell % axes[2].output, cell / axes[2].output)
        let (h, d) = (rest % axes[1].output, rest / axes[1].output)
        return (
            d * axes[0].stride - axes[0].begin, h * axes[1].stride - axes[1].begin,
            w * axes[2].stride - axes[2].begin
        )
    }

    /// Calls with offset and counted position of each real cell under the window.
    @inline(__always)
    private func forEachCell(of cell: Int, _ body: (Int, Int) -> Void) {
        let start = starts(cell)
        for i in 0..<axes[0].kernel {
            let d = start.0 + i * axes[0].dilation
            guard d >= 0, d < axes[0].extent else { continue }
            for j in 0..<axes[1].kernel {
                let h = start.1 + j * axes[1].dilation
                guard h >= 0, h < axes[1].extent else { continue }
                for k in 0..<axes[2].kernel {
                    let w = start.2 + k * axes[2].dilation
                    guard w >= 0, w < axes[2].extent else { continue }
                    let offset = (d * axes[1].extent + h) * axes[2].extent + w
                    let column = (w * axes[1].extent + h) * axes[0].extent + d
                    body(offset, countsColumns ? column : offset)
                }
            }
        }
    }

    /// How many cells of the window lie within image and padding.
    private func paddedCount(_ cell: Int) -> Int {
        let start = starts(cell)
        return zip(axes, [start.0, start.1, start.2]).reduce(1) { (product, pair) in
            let (axis, first) = pair
            let limit = axis.extent + axis.end
            let room = first >= limit ? 0 : (limit - 1 - first) / axis.dilation + 1
            return product * min(axis.kernel, room)
        }
    }
}

extension dcn_pool {
    /// Pooling of so many channels, each pixel padded to whole vectors, over three axes: depth, height, width.
    init(_ axes: [PoolWindow.Axis], channels: Int) {
        func each(_ value: (PoolWindow.Axis) -> Int) -> (Int, Int, Int) {
            (value(axes[0]), value(axes[1]), value(axes[2]))
        }
        self.init()
        self.channels = channels
        x_stride = paddedChannels(channels)
        y_stride = x_stride
        extent = each(\.extent)
        output = each(\.output)
        kernel = each(\.kernel)
        stride = each(\.stride)
        dilation = each(\.dilation)
        pad_begin = each(\.begin)
        pad_end = each(\.end)
        order = 1
    }
}
