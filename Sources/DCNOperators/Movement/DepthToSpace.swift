package import DCNGraph

/// How blocks of pixels and channels correspond.
package enum BlockOrder: String, Sendable, Hashable, Codable {
    /// Block row, block column, channel: slowest first.
    case depthFirst = "DCR"
    /// Channel, block row, block column.
    case columnFirst = "CRD"
}

/// Channels become pixels: [N, C b b, H, W] to [N, C, H b, W b].
package struct DepthToSpace: MovementOperator {
    package static let name = "DepthToSpace"
    /// b, at least 1.
    package var blockSize: Int
    /// Which channels make which block.
    package var order: BlockOrder

    package init(blockSize: Int, order: BlockOrder = .depthFirst) {
        self.blockSize = blockSize
        self.order = order
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        let area = try blockArea(blockSize)
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, .unknown(rank: 4)))] }
        if let channels = shape[1].fixed, channels % area != 0 {
            throw .extent(
                of: "input", axis: 1, expected: "a multiple of \(area)", got: "\(channels)",
                because: "blocksize²")
        }
        let channels: Dimension =
            shape[1].fixed.map { .fixed($0 / area) } ?? (area == 1 ? shape[1] : .unknown)
        let size = Dimension.fixed(blockSize)
        let result: [Dimension] = [
            shape[0], channels, .product([shape[2], size]), .product([shape[3], size]),
        ]
        return [.tensor(TensorType(data.element, Shape(result), layout: data.type.layout))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        try blockMoves(
            call, deep: try call.input(0), flat: try call.output(0), blockSize, order, isSource: true)
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "DepthToSpace", [("blocksize", .int(blockSize)), ("mode", .string(ByteString(order.rawValue)))],
            since: 11)
    }
}

/// Pixels become channels: [N, C, H b, W b] to [N, C b b, H, W].
package struct SpaceToDepth: MovementOperator {
    package static let name = "SpaceToDepth"
    /// b, at least 1.
    package var blockSize: Int
    /// Which channels make which block.
    package var order: BlockOrder

    package init(blockSize: Int, order: BlockOrder = .depthFirst) {
        self.blockSize = blockSize
        self.order = order
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        let area = try blockArea(blockSize)
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, .unknown(rank: 4)))] }
        var result = shape
        result[1] = .product([shape[1], .fixed(area)])
        for axis in 2...3 {
            guard let extent = shape[axis].fixed else {
                result[axis] = blockSize == 1 ? shape[axis] : .unknown
                continue
            }
            guard extent % blockSize == 0 else {
                throw .extent(
                    of: "input", axis: axis, expected: "a multiple of \(blockSize)", got: "\(extent)",
                    because: "blocksize")
            }
            result[axis] = .fixed(extent / blockSize)
        }
        return [.tensor(TensorType(data.element, result, layout: data.type.layout))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        try blockMoves(
            call, deep: try call.output(0), flat: try call.input(0), blockSize, order, isSource: false)
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard order == .columnFirst else {
            return WrittenNode("SpaceToDepth", [("blocksize", .int(blockSize))])
        }
        return WrittenNode(
            "SpaceToDepth", [("blocksize", .int(blockSize)), ("mode", .string(ByteString(order.rawValue)))],
            since: 28)
    }
}

private func blockArea(_ size: Int) throws(Misfit) -> Int {
    guard size > 0, size < 1 << 20 else {
        throw .attribute("blocksize", because: "is \(size), expected 1 … \(1 << 20)")
    }
    return size * size
}

/// One move over the axes N, C, H, block row, W, block column of both sides.
private func blockMoves(
    _ call: Call, deep: TensorType, flat: TensorType, _ size: Int, _ order: BlockOrder, isSource: Bool
) throws(Misfit) -> MoveKernel {
    guard let low = deep.extents, let high = flat.extents else { throw .missing("the shape of the input") }
    let from = deep.strides
    let to = flat.strides
    let channels = high[1]
    let isDepth = order == .depthFirst
    let deepStrides = [
        from[0], isDepth ? from[1] : from[1] * size * size, from[2],
        (isDepth ? channels * size : size) * from[1], from[3], (isDepth ? channels : 1) * from[1],
    ]
    let flatStrides = [to[0], to[1], to[2] * size, to[2], to[3] * size, to[3]]
    let move = Move(
        input: 0, extents: [high[0], channels, low[2], size, low[3], size],
        sourceStrides: isSource ? deepStrides : flatStrides,
        targetStrides: isSource ? flatStrides : deepStrides)
    let padding = (isSource ? flat : deep).paddingMove(output: 0)
    return MoveKernel(
        width: deep.element.byteWidth, [move] + [padding].compactMap { $0 }, on: call.instructionSet)
}
