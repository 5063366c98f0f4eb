package import DCNGraph

/// Channels moved to the last axis: what a channels-last tensor holds anyway.
///
///     y[n, …, c] = x[n, c, …]
///
/// x [N, C, …] float32 channels last, y [N, …, C] row-major. Nothing moves when C fills its blocks.
package struct ChannelsToBack: Operator {
    package static let name = "ChannelsToBack"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        try x.expect([.float32])
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank >= 3 else { throw .rank(of: "x", expected: "3 or more", got: shape.rank) }
        return [.tensor(TensorType(x.element, Shape([shape[0]] + shape.dimensions[2...] + [shape[1]])))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .channelsLast(inputs: [0], outputs: []) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let stride = paddedChannels(extents[1])
        return .kernel(
            rowCopy(
                rows: extents[0] * extents[2...].reduce(1, *), channels: extents[1], from: stride,
                to: extents[1]))
    }
}

/// The last axis made the channels of a channels-last tensor.
///
///     y[n, c, …] = x[n, …, c]
///
/// x [N, …, C] float32 row-major, y [N, C, …] channels last. Nothing moves when C fills its blocks.
package struct ChannelsToFront: Operator {
    package static let name = "ChannelsToFront"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x")
        try x.expect([.float32])
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil, layout: .channelsLast))] }
        guard shape.rank >= 3 else { throw .rank(of: "x", expected: "3 or more", got: shape.rank) }
        let channels = shape[shape.rank - 1]
        let result = Shape([shape[0], channels] + shape.dimensions[1..<(shape.rank - 1)])
        return [.tensor(TensorType(x.element, result, layout: .channelsLast))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .channelsLast(inputs: [], outputs: [0]) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.outputExtents(0)
        let stride = paddedChannels(extents[1])
        return .kernel(
            rowCopy(
                rows: extents[0] * extents[2...].reduce(1, *), channels: extents[1], from: extents[1],
                to: stride))
    }
}

/// Copies rows of channels between strides, clearing what the wider target holds beyond; nothing where source and
/// target are the same bytes.
private func rowCopy(rows: Int, channels: Int, from: Int, to: Int) -> TileKernel {
    let tiling = Tiling(rows, cost: to, target: 1 << 15)
    let inPlace = from == to ? [InPlace(output: 0, input: 0)] : []
    return TileKernel(tiles: tiling.tiles, inPlace: inPlace) { tile, frame in
        let x = frame.input(0, as: Float.self)
        let y = frame.output(0, as: Float.self)
        guard UnsafeRawPointer(x) != UnsafeRawPointer(y) else { return }
        for row in tiling[tile] {
            (y + row * to).update(from: x + row * from, count: channels)
            if to > channels { (y + row * to + channels).update(repeating: 0, count: to - channels) }
        }
    }
}
