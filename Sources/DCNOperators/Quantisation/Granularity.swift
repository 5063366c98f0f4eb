internal import DCNGraph

/// Which scale belongs to which element: one for all, one for each index along an axis, or one for each block along it.
struct Granularity: Sendable {
    private let axisExtent: Int
    private let inner: Int
    private let block: Int
    private let blocks: Int
    private let isSingle: Bool
    private let isPerAxis: Bool

    /// The granularity that the shape of the scale implies; `blockSize` 0 is unblocked.
    init(_ x: [Int], scale: [Int], axis: Int, blockSize: Int) throws(Misfit) {
        isSingle = elementCount(of: scale) == 1 && blockSize == 0
        isPerAxis = blockSize == 0
        guard !isSingle else {
            (axisExtent, inner, block, blocks) = (1, 1, 1, 1)
            return
        }
        let axis = try resolvedAxis(axis, rank: x.count)
        axisExtent = x[axis]
        inner = x[(axis + 1)...].reduce(1, *)
        block = max(1, blockSize)
        blocks = (axisExtent + block - 1) / block
    }

    /// Where the scale of element `index` lies.
    func place(_ index: Int) -> Int {
        if isSingle { return 0 }
        let along = index / inner
        if isPerAxis { return along % axisExtent }
        let (outer, position) = along.quotientAndRemainder(dividingBy: axisExtent)
        return (outer * blocks + position / block) * inner + index % inner
    }

    /// After how many elements from `index` on the scale may change.
    func run(_ index: Int) -> Int {
        if isSingle { return Int.max }
        return isPerAxis || inner == 1 && block == 1 ? inner - index % inner : 1
    }
}

/// Throws unless the shape of a scale fits x: a scalar, the extent along the axis, or that of x with blocks along it.
func checkScale(_ scale: Operand, _ zero: Operand?, of x: Operand, axis: Int, blockSize: Int) throws(Misfit) {
    guard blockSize >= 0 else {
        throw .attribute("block_size", because: "is \(blockSize), expected at least 0")
    }
    if let zero, let own = zero.type.extents, let expected = scale.type.extents,
        elementCount(of: own) != elementCount(of: expected)
    {
        throw .kind(of: zero.name, expected: "the shape \(expected) of \(scale.name)", got: "\(zero.type)")
    }
    guard let extents = scale.type.extents, let rank = x.rank, elementCount(of: extents) != 1 || blockSize > 0
    else {
        return
    }
    let axis = try resolvedAxis(axis, rank: rank)
    let most = ValueLimits().elementCount
    guard blockSize <= most else {
        throw .limit(of: "block_size", asked: blockSize, limit: most)
    }
    guard blockSize > 0 else {
        try scale.expectRank(1)
        return try scale.expect(
            x.dimension(axis), along: 0, because: "the extent of \(x.name) along axis \(axis)")
    }
    try scale.expectRank(rank)
    for index in 0..<rank {
        guard let extent = x.dimension(index).fixed else { continue }
        let expected = index == axis ? (extent + blockSize - 1) / blockSize : extent
        try scale.expect(expected, along: index, because: "the shape of \(x.name) in blocks of \(blockSize)")
    }
}
