package import DCNGraph

/// Running maxima over the rows or columns of [N, C, H, W], from one edge to the other; from a NaN on
/// they are NaN.
package struct CornerPool: Operator {
    package static let name = "CornerPool"

    /// Which way the maximum is carried.
    package enum Direction: Int, CaseIterable, Sendable, Hashable, Codable {
        /// From the last row up, from the first row down, from the last column to the left, from the first to the right.
        case top, bottom, left, right
    }

    /// Which way the maximum is carried.
    package var direction: Direction

    package init(direction: Direction) { self.direction = direction }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MMCVCornerPool on \(try call.input(0).element)")
        }
        let extents = try call.extents(0)
        let overRows = direction == .top || direction == .bottom
        let isReversed = direction == .top || direction == .left
        let count = overRows ? extents[2] : extents[3]
        let inner = overRows ? extents[3] : 1
        let outer = extents[0] * extents[1] * (overRows ? 1 : extents[2])
        let tiling = Tiling(count * inner == 0 ? 0 : outer, cost: count * inner)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                for plane in tiling[tile] {
                    let x = frame.input(0, as: Float.self) + plane * count * inner
                    let y = frame.output(0, as: Float.self) + plane * count * inner
                    for step in 0..<count {
                        let row = (isReversed ? count - 1 - step : step) * inner
                        let before = isReversed ? row + inner : row - inner
                        for column in 0..<inner {
                            let value = x[row + column]
                            y[row + column] = step == 0 ? value : y[before + column].joined(value, by: .max)
                        }
                    }
                }
            })
    }
}
