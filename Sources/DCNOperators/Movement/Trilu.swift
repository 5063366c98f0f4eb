package import DCNGraph

/// The upper or lower triangle of the last two axes, zeros elsewhere: inputs input, k (the diagonal's shift, 0).
/// What is cut off is 0, whatever it was.
package struct Trilu: MovementOperator {
    package static let name = "Trilu"
    /// Keeps what is on and above the diagonal; else on and below it.
    package var isUpper: Bool

    package init(isUpper: Bool = true) { self.isUpper = isUpper }

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        if let rank = data.rank, rank < 2 { throw .rank(of: "input", expected: "2 or more", got: rank) }
        let shift = try inputs.optional(1, "k")
        try shift?.expect([.int64])
        _ = try shift?.scalar()
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let extents = try call.extents(0)
        let columns = extents[extents.count - 1]
        let height = extents[extents.count - 2]
        let width = try call.input(0).element.byteWidth
        let shift = call.constant(1)?.integers?.first ?? 0
        let isUpper = self.isUpper
        let tiling = Tiling(columns == 0 ? 0 : extents.dropLast().product, cost: columns)
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { tile, frame in
            let input = frame.input(0, as: UInt8.self)
            let output = frame.output(0, as: UInt8.self)
            for row in tiling[tile] {
                let diagonal = (row % height).addingReportingOverflow(shift)
                let reached = diagonal.overflow ? (shift > 0 ? Int.max : Int.min) : diagonal.partialValue
                let edge = min(max(isUpper ? reached : reached == .max ? .max : reached + 1, 0), columns)
                let x = UnsafeRawPointer(input + row * columns * width)
                let y = UnsafeMutableRawPointer(output + row * columns * width)
                let kept = isUpper ? edge..<columns : 0..<edge
                let cleared = isUpper ? 0..<edge : edge..<columns
                if x != UnsafeRawPointer(y) {
                    (y + kept.lowerBound * width).copyMemory(
                        from: x + kept.lowerBound * width, byteCount: kept.count * width)
                }
                (y + cleared.lowerBound * width).initializeMemory(
                    as: UInt8.self, repeating: 0, count: cleared.count * width)
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Trilu", [("upper", .int(isUpper ? 1 : 0))], since: 14)
    }
}
