package import DCNGraph

/// Slices of data along `axis`, one for each index: inputs data, indices. The first `batchAxes` axes of both walk
/// together. Negative indices count from the end.
package struct Gather: MovementOperator {
    package static let name = "Gather"
    /// -rank … rank - 1 of data, at least `batchAxes`.
    package var axis: Int
    /// Leading axes that data and indices share.
    package var batchAxes: Int

    package init(axis: Int = 0, batchAxes: Int = 0) {
        self.axis = axis
        self.batchAxes = batchAxes
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let indices = try inputs.required(1, "indices")
        try indices.expectIndices()
        guard let shape = data.shape, let own = indices.shape else {
            return [.tensor(TensorType(data.element, nil))]
        }
        let along = try resolvedAxis(axis, rank: shape.rank)
        guard batchAxes >= 0, batchAxes <= along, batchAxes <= own.rank else {
            throw .attribute("axis", because: "is \(axis), expected at least \(batchAxes)")
        }
        for index in 0..<batchAxes { try indices.expect(shape[index], along: index, because: "as data") }
        let dimensions =
            shape.dimensions[..<along] + own.dimensions[batchAxes...] + shape.dimensions[(along + 1)...]
        return [.tensor(TensorType(data.element, Shape(Array(dimensions))))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let extents = try call.extents(0)
        let indices = try call.extents(1)
        let element = try call.input(1).element
        let along = try resolvedAxis(axis, rank: extents.count)
        let extent = extents[along]
        let bytes = extents[(along + 1)...].product * (try call.input(0).element.byteWidth)
        let batches = extents[..<batchAxes].product
        let outer = extents[batchAxes..<along].product
        let count = indices[batchAxes...].product
        let tiling = Tiling(bytes == 0 ? 0 : batches * outer * count, cost: 1 + bytes / 4)
        return TileKernel(
            tiles: tiling.tiles,
            check: { checkIndices($0, 1, element, count: batches * count, extent: extent) }
        ) { tile, frame in
            let x = frame.input(0, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            let reader = IndexReader(frame, 1, element)
            for row in tiling[tile] {
                let slice = row / count
                let index = reader.counted(slice / outer * count + row % count, below: extent)
                copyBytes(x + (slice * extent + index) * bytes, y + row * bytes, bytes)
            }
        }
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard inputs.knownRank(0) == 1, let data = inputs.knownList(0), let indices = inputs.knownList(1),
            let rank = inputs.knownRank(1), rank <= 1
        else { return [nil] }
        var chosen: [Dimension] = []
        for index in indices {
            guard let number = index.fixed, number >= -data.count, number < data.count else { return [nil] }
            chosen.append(data[number < 0 ? number + data.count : number])
        }
        return [chosen]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard batchAxes == 0 else {
            throw .unsupported("Gather with batch axes has no standard ONNX spelling")
        }
        return WrittenNode("Gather", [("axis", .int(axis))], since: 7)
    }
}
