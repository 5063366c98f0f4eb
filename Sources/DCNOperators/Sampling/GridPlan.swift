internal import CKernels
internal import DCNGraph

/// Sampling on concrete extents.
struct GridPlan: Sendable {
    let op: GridSample
    let x, grid: [Int]

    var axes: Int { x.count - 2 }
    var cells: Int { x.dropFirst(2).reduce(1, &*) }
    var points: Int { grid.dropFirst().dropLast().reduce(1, &*) }
    var isEmpty: Bool { cells == 0 || points == 0 || x[0] == 0 || x[1] == 0 }

    private func shape(_ pixel: Int) -> dcn_grid_sample {
        var shape = dcn_grid_sample()
        (shape.channels, shape.height, shape.width) = (x[1], x[2], x[3])
        (shape.x_stride, shape.y_stride, shape.points) = (pixel, pixel, points)
        switch op.interpolation {
        case .linear: shape.mode = DCN_SAMPLE_BILINEAR
        case .nearest: shape.mode = DCN_SAMPLE_NEAREST
        case .cubic: shape.mode = DCN_SAMPLE_BICUBIC
        }
        switch op.outside {
        case .zeros: shape.outside = DCN_OUTSIDE_ZEROS
        case .border: shape.outside = DCN_OUTSIDE_BORDER
        case .reflection: shape.outside = DCN_OUTSIDE_REFLECTION
        }
        shape.align_corners = op.alignsCorners ? 1 : 0
        return shape
    }

    func rows(_ simd: Simd) -> TileKernel {
        let tiling = Tiling(points, cost: x[1] * 8)
        let plan = self
        return TileKernel(tiles: x[0] * tiling.tiles) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var shape = plan.shape(0)
            simd.table.pointee.grid_sample_rows_f32(
                &shape, frame.input(0, as: Float.self) + item * plan.x[1] * plan.cells,
                frame.input(1, as: Float.self) + item * plan.points * 2,
                frame.output(0, as: Float.self) + item * plan.x[1] * plan.points, range.lowerBound,
                range.upperBound)
        }
    }

    func last(_ simd: Simd) -> TileKernel {
        let pixel = paddedChannels(x[1])
        let tiling = Tiling(points, cost: pixel * 4)
        let plan = self
        return TileKernel(tiles: x[0] * tiling.tiles) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var shape = plan.shape(pixel)
            simd.table.pointee.grid_sample_last_f32(
                &shape, frame.input(0, as: Float.self) + item * plan.cells * pixel,
                frame.input(1, as: Float.self) + item * plan.points * 2,
                frame.output(0, as: Float.self) + item * plan.points * pixel, range.lowerBound,
                range.upperBound)
        }
    }

    func plain<G: BinaryFloatingPoint & Sendable>(_ element: ElementType, _ points: G.Type) throws(Misfit)
        -> TileKernel
    {
        switch element {
        case .float32: tiles(Float.self, points) { Float($0) }
        case .float64: tiles(Double.self, points) { $0 }
        case .int8: tiles(Int8.self, points) { Int8(saturating: $0) }
        case .uint8: tiles(UInt8.self, points) { UInt8(saturating: $0) }
        case .int16: tiles(Int16.self, points) { Int16(saturating: $0) }
        case .uint16: tiles(UInt16.self, points) { UInt16(saturating: $0) }
        case .int32: tiles(Int32.self, points) { Int32(saturating: $0) }
        case .uint32: tiles(UInt32.self, points) { UInt32(saturating: $0) }
        case .int64: tiles(Int64.self, points) { Int64(saturating: $0) }
        case .uint64: tiles(UInt64.self, points) { UInt64(saturating: $0) }
        case .bool: tiles(UInt8.self, points) { $0 == 0 ? 0 : 1 }
        default: throw .unsupported("GridSample of \(element)")
        }
    }

    private func tiles<T: ResizableNumber & SendableMetatype, G: BinaryFloatingPoint & Sendable>(
        _ type: T.Type, _ coordinates: G.Type, _ rounded: @escaping @Sendable (Double) -> T
    ) -> TileKernel {
        let tiling = Tiling(isEmpty ? 0 : x[0] * points, cost: x[1] * 64)
        let plan = self
        return TileKernel(tiles: isEmpty && x[0] * x[1] * points > 0 ? 1 : tiling.tiles) { (tile, frame) in
            let y = frame.output(0, as: T.self)
            guard !plan.isEmpty else {
                for index in 0..<(plan.x[0] * plan.x[1] * plan.points) { y[index] = rounded(0) }
                return
            }
            for point in tiling[tile] {
                let place = frame.input(1, as: G.self) + point * plan.axes
                let (item, within) = (point / plan.points, point % plan.points)
                for channel in 0..<plan.x[1] {
                    let plane = item * plan.x[1] + channel
                    let image = frame.input(0, as: T.self) + plane * plan.cells
                    let value = plan.sample(image, place, axis: 0, stride: plan.cells)
                    y[plane * plan.points + within] = rounded(value)
                }
            }
        }
    }

    /// The value at a point, from the slowest axis inwards.
    private func sample<T: ResizableNumber, G: BinaryFloatingPoint>(
        _ image: UnsafePointer<T>, _ point: UnsafePointer<G>, axis: Int, stride: Int
    ) -> Double {
        guard axis < axes else { return image[0].asDouble }
        let extent = x[axis + 2]
        let coordinate = coordinate(Double(point[axes - 1 - axis]), extent)
        guard coordinate.isFinite else { return 0 }
        let step = stride / extent
        if op.interpolation == .nearest {
            guard let cell = cell(coordinate.rounded(.toNearestOrEven), extent) else { return 0 }
            return sample(image + cell * step, point, axis: axis + 1, stride: step)
        }
        let base = coordinate.rounded(.down)
        let reach = op.interpolation == .linear ? 0...1 : -1...2
        var sum = 0.0
        for tap in reach {
            guard let cell = cell(base + Double(tap), extent) else { continue }
            let weight = weight(abs(coordinate - base - Double(tap)))
            if weight != 0 {
                sum += weight * sample(image + cell * step, point, axis: axis + 1, stride: step)
            }
        }
        return sum
    }

    private func coordinate(_ value: Double, _ extent: Int) -> Double {
        let length = Double(extent)
        let raw = op.alignsCorners ? (value + 1) / 2 * (length - 1) : ((value + 1) * length - 1) / 2
        guard op.interpolation != .cubic, raw.isFinite else { return raw }
        switch op.outside {
        case .zeros: return max(-2, min(raw, length + 1))
        case .border: return max(0, min(raw, length - 1))
        case .reflection: return max(0, min(reflected(raw, extent), length - 1))
        }
    }

    private func weight(_ d: Double) -> Double {
        guard op.interpolation == .cubic else { return max(0, 1 - d) }
        let a = -0.75
        if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }

    private func reflected(_ value: Double, _ extent: Int) -> Double {
        let (low, high) = op.alignsCorners ? (0, Double(extent - 1)) : (-0.5, Double(extent) - 0.5)
        guard high > low else { return 0 }
        let span = high - low
        let away = abs(value - low).truncatingRemainder(dividingBy: 2 * span)
        return low + (away > span ? 2 * span - away : away)
    }

    /// The cell that stands for a whole coordinate; nil where there is none.
    private func cell(_ value: Double, _ extent: Int) -> Int? {
        let last = Double(extent - 1)
        if value >= 0 && value <= last { return Int(value) }
        switch op.outside {
        case .zeros: return nil
        case .border: return value < 0 ? 0 : extent - 1
        case .reflection: return Int(max(0, min(reflected(value, extent), last)))
        }
    }
}
