package import DCNGraph

/// Turns round the first `sequence_lens[b]` steps of each batch entry b: inputs input, sequence_lens.
package struct ReverseSequence: MovementOperator {
    package static let name = "ReverseSequence"
    /// 0 or 1.
    package var batchAxis: Int
    /// The other one.
    package var timeAxis: Int

    package init(batchAxis: Int = 1, timeAxis: Int = 0) {
        self.batchAxis = batchAxis
        self.timeAxis = timeAxis
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let lengths = try inputs.required(1, "sequence_lens", rank: 1)
        try lengths.expect([.int64])
        guard Set([batchAxis, timeAxis]) == [0, 1] else {
            throw .attribute(
                "batch_axis", because: "is \(batchAxis) with time_axis \(timeAxis), expected 0 and 1")
        }
        if let rank = data.rank, rank < 2 { throw .rank(of: "input", expected: "2 or more", got: rank) }
        try lengths.expect(data.dimension(batchAxis), along: 0, because: "one for each batch entry")
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let extents = try call.extents(0)
        let bytes = extents[2...].product * (try call.input(0).element.byteWidth)
        let columns = extents[1]
        let times = extents[timeAxis]
        let batches = extents[batchAxis]
        let isTimeFirst = timeAxis == 0
        let tiling = Tiling(bytes == 0 ? 0 : extents[0] * columns, cost: bytes / 4)
        return TileKernel(
            tiles: tiling.tiles,
            check: { frame in
                let lengths = frame.input(1, as: Int64.self)
                guard let bad = (0..<batches).first(where: { lengths[$0] < 0 || lengths[$0] > times }) else {
                    return nil
                }
                return .value(of: "sequence_lens", because: "holds \(lengths[bad]), expected 0 … \(times)")
            }
        ) { tile, frame in
            let input = frame.input(0, as: UInt8.self)
            let output = frame.output(0, as: UInt8.self)
            let lengths = frame.input(1, as: Int64.self)
            for cell in tiling[tile] {
                let (row, column) = (cell / columns, cell % columns)
                let time = isTimeFirst ? row : column
                let length = Int(lengths[isTimeFirst ? column : row])
                let source = time < length ? length - 1 - time : time
                let from = isTimeFirst ? source * columns + column : row * columns + source
                UnsafeMutableRawPointer(output + cell * bytes).copyMemory(
                    from: input + from * bytes, byteCount: bytes)
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "ReverseSequence", [("batch_axis", .int(batchAxis)), ("time_axis", .int(timeAxis))], since: 10)
    }
}
