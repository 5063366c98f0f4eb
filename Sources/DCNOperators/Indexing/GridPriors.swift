package import DCNGraph

/// Anchors moved to every cell of a grid: inputs base [A, 4], and one value for each row and each column (their number
/// counts); gives [H W A, 4], base + (column · strideWidth, row · strideHeight) twice.
package struct GridPriors: Operator {
    package static let name = "GridPriors"
    /// Rows are this far apart.
    package var strideHeight: Double
    /// Columns are this far apart.
    package var strideWidth: Double

    package init(strideHeight: Double, strideWidth: Double) {
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let base = try inputs.required(0, "base_anchors", rank: 2)
        try base.expect(4, along: 1, because: "corners")
        let rows = try inputs.required(1, "feat_h", rank: 1)
        let columns = try inputs.required(2, "feat_w", rank: 1)
        let count = Dimension.product([rows.dimension(0), columns.dimension(0), base.dimension(0)])
        return [.tensor(TensorType(base.element, Shape([count, 4])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("GridPriorsTRT on \(try call.input(0).element)")
        }
        let anchors = try call.extents(0)[0]
        let columns = try call.extents(2)[0]
        let cells = anchors == 0 ? 0 : try call.extents(1)[0] * columns
        let (down, across) = (Float(strideHeight), Float(strideWidth))
        let tiling = Tiling(cells, cost: 4 * anchors)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let base = frame.input(0, as: Float.self)
                let output = frame.output(0, as: Float.self)
                for cell in tiling[tile] {
                    let (x, y) = (Float(cell % columns) * across, Float(cell / columns) * down)
                    for index in 0..<(4 * anchors) {
                        output[cell * anchors * 4 + index] = base[index] + (index % 2 == 0 ? x : y)
                    }
                }
            })
    }
}
