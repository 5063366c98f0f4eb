package import DCNGraph

/// The points of a grid after an affine map of each item, as GridSample takes them.
///
///     grid[n, …] = theta[n] · (x, y[, z], 1)
///
/// Inputs: theta `[N, 2, 3]` or `[N, 3, 4]`, size (int64 of N, C, [D,] H, W). Output `[N, [D,] H, W, 2 or 3]`. A row
/// of theta that is not finite gives coordinates that are not.
package struct AffineGrid: Operator {
    package static let name = "AffineGrid"
    /// Whether −1 and 1 are centres of the outermost cells.
    package var alignsCorners: Bool

    package init(alignsCorners: Bool = false) { self.alignsCorners = alignsCorners }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let theta = try inputs.required(0, "theta", rank: 3)
        try theta.expect(ElementType.reals)
        let size = try inputs.required(1, "size", rank: 1)
        try size.expect([.int64])
        guard let dimensions = size.dimensions else { return [.tensor(TensorType(theta.element, nil))] }
        guard dimensions.count == 4 || dimensions.count == 5 else {
            throw .value(of: "size", because: "has \(dimensions.count) entries, expected 4 or 5")
        }
        let axes = dimensions.count - 2
        for extent in dimensions.compactMap(\.fixed) where extent < 0 {
            throw .value(of: "size", because: "has \(extent), expected 0 or more")
        }
        try theta.expect(axes, along: 1, because: "the spatial axes of size")
        try theta.expect(axes + 1, along: 2, because: "the spatial axes of size and one")
        try theta.expect(dimensions[0], along: 0, because: "as size")
        return [
            .tensor(TensorType(theta.element, Shape([dimensions[0]] + dimensions[2...] + [.fixed(axes)])))
        ]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let output = try call.output(0).extents else { return .routine(lateRoutine(self)) }
        switch try call.input(0).element {
        case .float32: return .kernel(tiles(output, Float.self))
        case .float64: return .kernel(tiles(output, Double.self))
        case let element: throw .unsupported("AffineGrid on \(element)")
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(_ output: [Int], _ type: T.Type) -> TileKernel {
        let axes = output.count - 2
        let spatial = Array(output[1...axes])
        let points = spatial.reduce(1, &*)
        let tiling = Tiling(output[0] &* points, cost: 16)
        let op = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for point in tiling[tile] {
                let theta = frame.input(0, as: T.self) + point / points * axes * (axes + 1)
                let y = frame.output(0, as: T.self) + point * axes
                for row in 0..<axes {
                    var (sum, rest) = (Double(theta[row * (axes + 1) + axes]), point % points)
                    for column in 0..<axes {
                        let extent = spatial[axes - 1 - column]
                        sum += Double(theta[row * (axes + 1) + column]) * op.place(rest % extent, extent)
                        rest /= extent
                    }
                    y[row] = T(sum)
                }
            }
        }
    }

    private func place(_ cell: Int, _ extent: Int) -> Double {
        guard alignsCorners else { return (2 * Double(cell) + 1) / Double(extent) - 1 }
        return extent == 1 ? -1 : 2 * Double(cell) / Double(extent - 1) - 1
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("AffineGrid", [("align_corners", .int(alignsCorners ? 1 : 0))], since: 20)
    }
}
