package import DCNGraph

/// The greatest places of heat maps, between cells (Caffe2's HeatmapMaxKeypoint).
///
/// Around the greatest cell the map is taken for a quadratic of its nine neighbours, those outside mirrored; with b minus its slope
/// and A its curvature there, the place moves by A⁻¹·b, at most 1.5 cells, or not where |det A| < 10⁻⁴:
///
///     y = (x₀ + (½ + column + δx)·w / S, y₀ + (½ + row + δy)·h / S, f − bᵀ·δ + ½·δᵀ·A·δ, p)
///
/// Inputs: maps `[R, K, S, S]` (S ≥ 2), boxes `[R, 4 or more]` of (x₀, y₀, x₁, y₁), sizes at least 1. Output `[R, 4, K]`; p is the share of the
/// greatest cell in the map's softmax where `givesShares`, else 0. Cells that are NaN are no greatest; where |det A|
/// is not finite the place does not move either. p is NaN beside NaN or +∞; places in a box that is not finite are
/// not either.
package struct HeatmapKeypoint: Operator {
    package static let name = "HeatmapKeypoint"
    /// Whether shares of the softmax come out.
    package var givesShares: Bool

    package init(givesShares: Bool = false) { self.givesShares = givesShares }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let maps = try inputs.required(0, "heatmaps", rank: 4)
        let boxes = try inputs.required(1, "bboxes", rank: 2)
        try maps.expect(ElementType.detections)
        try boxes.expectSameElement(as: maps)
        try boxes.expect(maps.dimension(0), along: 0, because: "one for each region")
        if let size = maps.dimension(2).fixed {
            guard size >= 2 else {
                throw .extent(
                    of: "heatmaps", axis: 2, expected: "2 or more", got: "\(size)", because: "neighbours")
            }
            try maps.expect(size, along: 3, because: "square maps")
        }
        if let columns = boxes.dimension(1).fixed, columns < 4 {
            throw .extent(of: "bboxes", axis: 1, expected: "4 or more", got: "\(columns)", because: "corners")
        }
        return [.tensor(TensorType(maps.element, Shape([maps.dimension(0), 4, maps.dimension(1)])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        let (maps, columns) = (try call.extents(0), try call.extents(1)[1])
        let (points, size) = (maps[1], maps[2])
        let tiling = Tiling(maps[0] * points, cost: size * size)
        let sharing = givesShares
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                for item in tiling[tile] {
                    let (region, point) = (item / points, item % points)
                    let map = HeatMap(cells: frame.input(0, as: Float.self) + item * size * size, size: size)
                    let box = frame.input(1, as: Float.self) + region * columns
                    let found = map.greatest
                    let y = frame.output(0, as: Float.self) + region * 4 * points + point
                    y[0] = box[0] + found.x * max(box[2] - box[0], 1) / Float(size)
                    y[points] = box[1] + found.y * max(box[3] - box[1], 1) / Float(size)
                    y[2 * points] = found.score
                    y[3 * points] = sharing ? map.share : 0
                }
            })
    }
}

private struct HeatMap {
    let cells: UnsafePointer<Float>
    let size: Int

    private var place: Int { greatestPlace(size * size) { cells[$0] } }

    /// The share of the greatest cell in the softmax.
    var share: Float {
        let greatest = Double(cells[place])
        return Float(1 / (0..<size * size).reduce(0) { $0 + Elementary.exp(Double(cells[$1]) - greatest) })
    }

    var greatest: (x: Float, y: Float, score: Float) {
        let (row, column) = (place / size, place % size)
        func mirrored(_ step: Int, _ at: Int) -> Int {
            at + step < 0 || at + step >= size ? at - step : at + step
        }
        func f(_ x: Int, _ y: Int) -> Float { cells[mirrored(y, row) * size + mirrored(x, column)] }
        let (bx, by) = ((f(-1, 0) - f(1, 0)) / 2, (f(0, -1) - f(0, 1)) / 2)
        let (xx, yy) = (f(-1, 0) - 2 * f(0, 0) + f(1, 0), f(0, -1) - 2 * f(0, 0) + f(0, 1))
        let xy = (f(1, 1) - f(-1, 1) - f(1, -1) + f(-1, -1)) / 4
        let determinant = xx * yy - xy * xy
        var (dx, dy, score) = (Float(0), Float(0), f(0, 0))
        if abs(determinant) >= 1e-4, determinant.isFinite {
            (dx, dy) = ((yy * bx - xy * by) / determinant, (xx * by - xy * bx) / determinant)
            if case let reach = max(abs(dx), abs(dy)), reach > 1.5 {
                (dx, dy) = (dx / reach * 1.5, dy / reach * 1.5)
            }
            score += 0.5 * (dx * (xx * dx + xy * dy) + dy * (xy * dx + yy * dy)) - bx * dx - by * dy
        }
        return (0.5 + Float(column) + dx, 0.5 + Float(row) + dy, score)
    }
}
