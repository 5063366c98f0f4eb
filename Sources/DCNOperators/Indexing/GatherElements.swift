package import DCNGraph

/// y[i, …] = data[i, …] with the index along `axis` replaced by indices[i, …]: inputs data, indices.
package struct GatherElements: MovementOperator {
    package static let name = "GatherElements"
    /// -rank … rank - 1.
    package var axis: Int

    package init(axis: Int = 0) { self.axis = axis }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let indices = try inputs.required(1, "indices")
        try indices.expectIndices()
        try expectWithin(indices, data, axis: axis)
        return [.tensor(TensorType(data.element, indices.shape ?? data.rank.map { .unknown(rank: $0) }))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let walk = try ElementWalk(call, axis: axis)
        let width = try call.input(0).element.byteWidth
        return TileKernel(tiles: walk.tiling.tiles, check: walk.check) { tile, frame in
            let x = frame.input(0, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            let reader = IndexReader(frame, 1, walk.element)
            for index in walk.tiling[tile] {
                copyBytes(x + walk.place(of: index, reader) * width, y + index * width, width)
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("GatherElements", [("axis", .int(axis))], since: 11)
    }
}

/// Throws unless indices have data's rank and, apart from `axis`, at most its extents.
func expectWithin(_ indices: Operand, _ data: Operand, axis: Int) throws(Misfit) {
    guard let shape = data.shape else { return }
    let along = try resolvedAxis(axis, rank: shape.rank)
    try indices.expectRank(shape.rank)
    for index in 0..<shape.rank where index != along {
        guard let most = shape[index].fixed, let got = indices.dimension(index).fixed, got > most else {
            continue
        }
        throw .extent(
            of: "indices", axis: index, expected: "at most \(most)", got: "\(got)", because: "as data")
    }
}

/// Where each element of an index tensor points to in data of the same rank.
struct ElementWalk: Sendable {
    let element: ElementType
    let tiling: Tiling
    private let indices: [Int]
    private let strides: [Int]
    private let axis: Int
    private let extent: Int
    private let count: Int

    /// A walk over input 1, whose elements point along `axis` of input 0.
    init(_ call: Call, axis: Int) throws(Misfit) {
        let extents = try call.extents(0)
        indices = try call.extents(1)
        element = try call.input(1).element
        strides = rowMajorStrides(extents)
        self.axis = try resolvedAxis(axis, rank: extents.count)
        extent = extents[self.axis]
        count = indices.product
        tiling = Tiling(count, cost: 2 + indices.count)
    }

    /// Names the first index that is outside.
    func check(_ frame: Frame) -> Misfit? { checkIndices(frame, 1, element, count: count, extent: extent) }

    /// The position in data for element `index`.
    @inline(__always)
    func place(of index: Int, _ reader: IndexReader) -> Int {
        var rest = index
        var place = 0
        for position in indices.indices.reversed() {
            let step = rest % indices[position]
            rest /= indices[position]
            place += (position == axis ? reader.counted(index, below: extent) : step) * strides[position]
        }
        return place
    }
}
