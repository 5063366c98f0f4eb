package import DCNGraph

/// The slices along `axis` (of the flattened data, when nil) whose condition holds: inputs input, condition.
package struct Compress: MovementOperator {
    package static let name = "Compress"
    /// -rank … rank - 1; nil flattens.
    package var axis: Int?

    package init(axis: Int? = nil) { self.axis = axis }

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let condition = try inputs.required(1, "condition", rank: 1)
        try condition.expect([.bool])
        let count = try condition.constant?.integers.map { flags throws(Misfit) in
            try chosen(flags, data).count
        }
        let length = count.map(Dimension.fixed) ?? .unknown
        guard let axis else { return [.tensor(TensorType(data.element, Shape([length])))] }
        guard var shape = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        shape[try resolvedAxis(axis, rank: shape.rank)] = length
        return [.tensor(TensorType(data.element, shape))]
    }

    private func chosen(_ flags: [Int], _ data: Operand) throws(Misfit) -> [Int] {
        let indices = flags.indices.filter { flags[$0] != 0 }
        guard let shape = data.shape else { return indices }
        let extent =
            try axis.map { axis throws(Misfit) in shape[try resolvedAxis(axis, rank: shape.rank)] }
            ?? .product(shape.dimensions)
        if let most = extent.fixed, let last = indices.last, last >= most {
            throw .value(of: "condition", because: "holds at \(last), where only \(most) are")
        }
        return indices
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let type = try call.input(0)
        let extents = try call.extents(0)
        let flags = call.constant(1)?.integers ?? []
        let indices = flags.indices.filter { flags[$0] != 0 }
        let along = try axis.map { axis throws(Misfit) in try resolvedAxis(axis, rank: extents.count) }
        let extent = along.map { extents[$0] } ?? extents.product
        let bytes =
            along.map { extents[($0 + 1)...].product * type.element.byteWidth } ?? type.element.byteWidth
        let outer = along.map { extents[..<$0].product } ?? 1
        let tiling = Tiling(bytes == 0 ? 0 : outer * indices.count, cost: 1 + bytes / 4)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let x = frame.input(0, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            for row in tiling[tile] {
                let from = row / indices.count * extent + indices[row % indices.count]
                copyBytes(x + from * bytes, y + row * bytes, bytes)
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Compress", axis.map { [("axis", .int($0))] } ?? [], since: (axis ?? 0) < 0 ? 11 : 9)
    }
}
