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
