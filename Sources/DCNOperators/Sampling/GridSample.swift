internal import CKernels
package import DCNGraph

/// An image (or volume) sampled at points.
///
/// Inputs: X `[N, C, …]` of one to eight spatial axes, grid `[N, …, axes]` of points, the last axis first (x before y), −1
/// and 1 being the edges of the image, or the centres of its outermost cells where `alignsCorners`. Output `[N, C, …]` with
/// the grid's extents. Nearest rounds halves to even; cubic has A = −0.75. Points that are not finite give 0. Booleans are
/// true where what they interpolate to is not 0; strings have nearest neighbours only, outside of the image the empty one.
package struct GridSample: Operator {
    package static let name = "GridSample"
    /// What lies between cells.
    package enum Interpolation: Int, Sendable, Hashable, Codable { case linear, nearest, cubic }
    /// What lies beyond the edge.
    package enum Outside: Int, Sendable, Hashable, Codable { case zeros, border, reflection }
    /// What lies between cells.
    package var interpolation: Interpolation
    /// What lies beyond the edge.
    package var outside: Outside
    /// Whether −1 and 1 are centres of cells.
    package var alignsCorners: Bool

    package init(
        _ interpolation: Interpolation = .linear, outside: Outside = .zeros, alignsCorners: Bool = false
    ) {
        self.interpolation = interpolation
        self.outside = outside
        self.alignsCorners = alignsCorners
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        let grid = try inputs.required(1, "grid")
        try x.expect(.numbers + [.bool, .string, .complex64, .complex128])
        try grid.expect(ElementType.reals)
        if x.element == .string && interpolation != .nearest {
            throw .unsupported("interpolation between strings, which the standard does not define")
        }
        guard let rank = x.rank ?? grid.rank else {
            return [.tensor(TensorType(x.element, nil, layout: x.type.layout))]
        }
        guard rank >= 3 else { throw .rank(of: "X", expected: "at least 3", got: rank) }
        // The neighbours of a point are 4 for each axis in cubic mode: with more axes one point takes seconds.
        guard rank <= 10 else { throw .limit(of: "the rank of X", asked: rank, limit: 10) }
        try grid.expectRank(rank)
        try grid.expect(rank - 2, along: rank - 1, because: "the spatial axes of X")
        try grid.expect(x.dimension(0), along: 0, because: "as X")
        let spatial = (1..<(rank - 1)).map { grid.dimension($0) }
        let shape = Shape([x.dimension(0), x.dimension(1)] + spatial)
        return [.tensor(TensorType(x.element, shape, layout: x.type.layout))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard inputs.isFloat32(0), inputs.isFloat32(1), inputs.types[0]?.tensor?.shape?.rank == 4 else {
            return .rowMajor
        }
        return .channelsLast(inputs: [0], outputs: [0])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (x, grid) = (try call.input(0), try call.input(1))
        let plan = GridPlan(op: self, x: try call.extents(0), grid: try call.extents(1))
        let simd = try Simd(call.instructionSet)
        if x.element == .float32, grid.element == .float32, plan.axes == 2, !plan.isEmpty,
            simd.table.pointee.grid_sample_rows_f32 != nil
        {
            return .kernel(x.layout == .channelsLast ? plan.last(simd) : plan.rows(simd))
        }
        guard x.layout == .rowMajor else { throw .unsupported("GridSample of \(x)") }
        if x.element == .string { return .routine(SurrogateRoutine(op: self, outputs: call.outputs)) }
        if x.element.isComplex { return .routine(ComplexParts(real: self, imaginary: self)) }
        switch grid.element {
        case .float32: return .kernel(try plan.plain(x.element, Float.self))
        case .float64: return .kernel(try plan.plain(x.element, Double.self))
        default: throw .unsupported("GridSample at points of \(grid.element)")
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* (interpolation == .cubic ? 16 : 4)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let isVolume = inputs.types.first??.tensor?.shape?.rank != 4
        let names =
            opset < 20 && !isVolume ? ["bilinear", "nearest", "bicubic"] : ["linear", "nearest", "cubic"]
        let edges = ["zeros", "border", "reflection"]
        return WrittenNode(
            "GridSample",
            [
                ("mode", .string(ByteString(names[interpolation.rawValue]))),
                ("padding_mode", .string(ByteString(edges[outside.rawValue]))),
                ("align_corners", .int(alignsCorners ? 1 : 0)),
            ], since: opset < 20 && !isVolume ? 16 : 20)
    }
}

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
