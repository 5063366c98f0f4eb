package import DCNGraph

/// Slices of data at index tuples: inputs data, indices [batch…, …, n]; the first `batchAxes` axes of both walk
/// together, the tuples address the n axes after them.
package struct GatherND: MovementOperator {
    package static let name = "GatherND"
    /// Leading axes that data and indices share.
    package var batchAxes: Int

    package init(batchAxes: Int = 0) { self.batchAxes = batchAxes }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let indices = try inputs.required(1, "indices")
        try indices.expect([.int64])
        guard let shape = data.shape, let own = indices.shape else {
            return [.tensor(TensorType(data.element, nil))]
        }
        guard shape.rank > 0, own.rank > 0 else {
            throw .rank(of: "indices", expected: "1 or more", got: own.rank)
        }
        guard batchAxes >= 0, batchAxes < min(shape.rank, own.rank) else {
            throw .attribute(
                "batch_dims", because: "is \(batchAxes), expected 0 … \(min(shape.rank, own.rank) - 1)")
        }
        for axis in 0..<batchAxes { try indices.expect(shape[axis], along: axis, because: "as data") }
        guard let length = own[own.rank - 1].fixed else { return [.tensor(TensorType(data.element, nil))] }
        guard length <= shape.rank - batchAxes else {
            throw .extent(
                of: "indices", axis: own.rank - 1, expected: "at most \(shape.rank - batchAxes)",
                got: "\(length)",
                because: "axes of data")
        }
        let dimensions = own.dimensions.dropLast() + shape.dimensions[(batchAxes + length)...]
        return [.tensor(TensorType(data.element, Shape(Array(dimensions))))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let tuples = try IndexTuples(call, batchAxes: batchAxes)
        let bytes = tuples.sliceCount * (try call.input(0).element.byteWidth)
        let tiling = Tiling(bytes == 0 ? 0 : tuples.count, cost: 1 + bytes / 4)
        return TileKernel(tiles: tiling.tiles, check: tuples.check) { tile, frame in
            let x = frame.input(0, as: UInt8.self)
            let y = frame.output(0, as: UInt8.self)
            let reader = IndexReader(frame, 1, .int64)
            for index in tiling[tile] {
                copyBytes(x + tuples.slice(index, reader) * bytes, y + index * bytes, bytes)
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        batchAxes == 0
            ? WrittenNode("GatherND", since: 11)
            : WrittenNode("GatherND", [("batch_dims", .int(batchAxes))], since: 12)
    }
}

/// Index tuples in input 1 that address slices of input 0.
struct IndexTuples: Sendable {
    /// How many tuples there are.
    let count: Int
    /// Elements of one slice.
    let sliceCount: Int
    private let addressed: [Int]
    private let tuplesPerBatch: Int
    private let slicesPerBatch: Int

    init(_ call: Call, batchAxes: Int = 0) throws(Misfit) {
        let extents = try call.extents(0)
        let indices = try call.extents(1)
        let length = indices[indices.count - 1]
        count = indices.dropLast().product
        addressed = Array(extents[batchAxes..<(batchAxes + length)])
        sliceCount = extents[(batchAxes + length)...].product
        tuplesPerBatch = indices[batchAxes...].dropLast().product
        slicesPerBatch = addressed.product
    }

    /// Names the first index that is outside.
    func check(_ frame: Frame) -> Misfit? {
        let reader = IndexReader(frame, 1, .int64)
        for index in 0..<(count * addressed.count) {
            let extent = addressed[index % addressed.count]
            guard reader[index] < -extent || reader[index] >= extent else { continue }
            return .value(
                of: "indices", because: "holds \(reader[index]), expected \(-extent) … \(extent - 1)")
        }
        return nil
    }

    /// The number of the slice that tuple `index` addresses.
    @inline(__always)
    func slice(_ index: Int, _ reader: IndexReader) -> Int {
        var place = 0
        for axis in addressed.indices {
            place =
                place * addressed[axis]
                + reader.counted(index * addressed.count + axis, below: addressed[axis])
        }
        return index / tuplesPerBatch * slicesPerBatch + place
    }
}
