package import DCNGraph

/// A cache with new entries along `axis`, from `write_indices[b]` on for each batch entry b: inputs past_cache, update,
/// write_indices (zeros).
package struct TensorScatter: MovementOperator {
    package static let name = "TensorScatter"
    /// The sequence axis; not 0.
    package var axis: Int
    /// Whether writing goes on at the front where the cache ends.
    package var isCircular: Bool

    package init(axis: Int = -2, isCircular: Bool = false) {
        self.axis = axis
        self.isCircular = isCircular
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let cache = try inputs.required(0, "past_cache")
        let update = try inputs.required(1, "update")
        try update.expectSameElement(as: cache)
        let indices = try inputs.optional(2, "write_indices", rank: 1)
        try indices?.expect([.int64])
        guard let shape = cache.shape else { return [.tensor(TensorType(cache.element, nil))] }
        let along = try resolvedAxis(axis, rank: shape.rank)
        guard along > 0 else { throw .attribute("axis", because: "is the batch axis 0") }
        try update.expectRank(shape.rank)
        for index in 0..<shape.rank where index != along {
            try update.expect(shape[index], along: index, because: "as past_cache")
        }
        if let most = shape[along].fixed, let length = update.dimension(along).fixed, length > most {
            throw .extent(
                of: "update", axis: along, expected: "at most \(most)", got: "\(length)", because: "")
        }
        try indices?.expect(shape[0], along: 0, because: "one for each batch entry")
        return [.tensor(TensorType(cache.element, shape))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let extents = try call.extents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let bytes = extents[(along + 1)...].product * (try call.input(0).element.byteWidth)
        let middle = extents[1..<along].product
        let capacity = extents[along]
        let length = try call.extents(1)[along]
        let isCircular = self.isCircular
        let hasIndices = call.has(2)
        let batches = extents[0]
        let tiling = Tiling(bytes * capacity == 0 ? 0 : batches * middle, cost: capacity * bytes / 4)
        return TileKernel(
            tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)],
            check: { frame in
                guard hasIndices else { return nil }
                let starts = frame.input(2, as: Int64.self)
                let limit = isCircular ? capacity - 1 : capacity - length
                guard let bad = (0..<batches).first(where: { starts[$0] < 0 || starts[$0] > limit }) else {
                    return nil
                }
                return .value(of: "write_indices", because: "holds \(starts[bad]), expected 0 … \(limit)")
            }
        ) { tile, frame in
            for slice in tiling[tile] {
                let x = frame.input(0, as: UInt8.self) + slice * capacity * bytes
                let update = frame.input(1, as: UInt8.self) + slice * length * bytes
                let y = frame.output(0, as: UInt8.self) + slice * capacity * bytes
                if x != UnsafePointer(y) {
                    UnsafeMutableRawPointer(y).copyMemory(from: x, byteCount: capacity * bytes)
                }
                let start = hasIndices ? Int(frame.input(2, as: Int64.self)[slice / middle]) : 0
                for step in 0..<length {
                    UnsafeMutableRawPointer(y + (start + step) % capacity * bytes).copyMemory(
                        from: update + step * bytes, byteCount: bytes)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "TensorScatter",
            [("axis", .int(axis)), ("mode", .string(ByteString(isCircular ? "circular" : "linear")))],
            since: 24)
    }
}
