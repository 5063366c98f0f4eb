internal import DCNGraph

/// The shape that operands have together, each axis as far as it is known; nil where a rank is unknown.
///
/// Shapes are aligned at their last axes; an extent of 1 is repeated.
func broadcastShape(_ operands: [Operand]) throws(Misfit) -> Shape? {
    var shapes: [Shape] = []
    for operand in operands {
        guard let shape = operand.shape else { return nil }
        shapes.append(shape)
    }
    let rank = shapes.map(\.rank).max() ?? 0
    var result: [Dimension] = []
    for axis in 0..<rank {
        var dimension = Dimension.fixed(1)
        for (operand, shape) in zip(operands, shapes) where axis >= rank - shape.rank {
            let own = axis - (rank - shape.rank)
            guard let joined = join(dimension, shape[own]) else {
                throw .extent(
                    of: operand.name, axis: own, expected: "1 or \(dimension)", got: "\(shape[own])",
                    because: "broadcast with the other operands")
            }
            dimension = joined
        }
        result.append(dimension)
    }
    return Shape(result)
}

/// The extent two extents have together; nil when they contradict each other.
func join(_ a: Dimension, _ b: Dimension) -> Dimension? {
    switch (a, b) {
    case (.fixed(1), _): b
    case (_, .fixed(1)): a
    case (.fixed(let first), .fixed(let second)): first == second ? a : nil
    case (.fixed, _): a
    case (_, .fixed): b
    case (.symbol(let first), .symbol(let second)): first == second ? a : .unknown
    default: .unknown
    }
}

/// The type operands have together: channels last as soon as one of them is.
func broadcastType(_ element: ElementType, _ operands: [Operand]) throws(Misfit) -> TensorType {
    let isChannelsLast = operands.contains { $0.type.layout == .channelsLast }
    return TensorType(
        element, try broadcastShape(operands), layout: isChannelsLast ? .channelsLast : .rowMajor)
}

/// Follows the operands that are whole images; scalars, values per channel and single-channel maps are read row-major.
func broadcastLayoutRule(_ types: [ValueType?]) -> LayoutRule {
    let shapes = types.map { $0?.tensor?.shape }
    guard !shapes.contains(where: { $0 == nil }), let rank = shapes.compactMap({ $0?.rank }).max(), rank >= 3,
        rank <= 5
    else { return .rowMajor }
    var following: Set<Int> = []
    for (index, shape) in shapes.enumerated() {
        guard let shape, !readsAsItLies(shape, rank: rank) else { continue }
        guard shape.rank == rank else { return .rowMajor }
        following.insert(index)
    }
    return following.isEmpty ? .rowMajor : .follow(inputs: following, outputs: [0])
}

/// Whether a row-major operand has steps of 0 or 1 along the channels of an image of rank `rank`.
private func readsAsItLies(_ shape: Shape, rank: Int) -> Bool {
    let missing = rank - shape.rank
    guard missing <= 1, shape[1 - missing] != 1 else { return true }
    return shape.dimensions.dropFirst(2 - missing).allSatisfy { $0 == 1 }
}

/// Integers of two shape-like operands combined one by one as far as they are known.
func combinedDimensions(
    _ inputs: Inputs, _ combine: (Dimension, Dimension) -> Dimension
) -> [Dimension]? {
    guard let a = shapeLike(inputs, 0), let b = shapeLike(inputs, 1) else { return nil }
    guard a.count == b.count || a.count == 1 || b.count == 1 else { return nil }
    let count = a.isEmpty || b.isEmpty ? 0 : max(a.count, b.count)
    return (0..<count).map { combine(a[a.count == 1 ? 0 : $0], b[b.count == 1 ? 0 : $0]) }
}

/// The integers of an operand of rank 0 or 1, as far as they are known.
func shapeLike(_ inputs: Inputs, _ index: Int) -> [Dimension]? {
    guard index < inputs.count, let type = inputs.types[index]?.tensor, type.element.isInteger,
        let rank = type.shape?.rank, rank <= 1
    else { return nil }
    if let integers = inputs.constants[index]?.tensor?.integers { return integers.map(Dimension.fixed) }
    return inputs.knownDimensions[index]
}
