internal import COnnxProto
internal import DCNGraph

extension TensorReader {
    /// The dense tensor that values and their indices stand for; all others are zero.
    mutating func tensor(sparse proto: UnsafePointer<Onnx__SparseTensorProto>) throws(TensorFault) -> Tensor {
        let message = proto.pointee
        guard let valuesProto = message.values, let indicesProto = message.indices else {
            throw .model("a sparse tensor without values or indices")
        }
        let (stored, indices) = (try tensor(valuesProto), try tensor(indicesProto))
        let extents = values(message.dims, message.n_dims).map { Int($0) }
        let type = TensorType(stored.type.element, extents: extents)
        guard let byteCount = type.byteCount else {
            throw .model("extents \(extents) hold more than can be counted")
        }
        guard !stored.type.element.isPacked, stored.type.element != .string else {
            throw .unsupported("a sparse tensor of \(stored.type.element)")
        }
        denseByteCount += min(byteCount, limits.denseByteCount + 1)
        guard denseByteCount <= limits.denseByteCount else {
            throw .model("sparse tensors hold more than \(limits.denseByteCount) bytes with their zeros")
        }
        let positions = try Self.positions(indices, count: stored.count, extents)
        let width = stored.type.element.byteWidth
        let storage = Storage(uninitialised: byteCount)
        storage.base.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
        stored.withBytes { bytes in
            guard let source = bytes.baseAddress else { return }
            for (index, position) in positions.enumerated() {
                // Safe: positions are below the element count, and there is one for each value.
                (storage.base + position * width).copyMemory(from: source + index * width, byteCount: width)
            }
        }
        guard let dense = Tensor(type, storage: storage) else { throw .model("data doesn't fit its extents") }
        return dense
    }

    /// Linear positions, checked to rise and to lie inside.
    private static func positions(
        _ indices: Tensor, count: Int, _ extents: [Int]
    ) throws(TensorFault) -> [Int] {
        guard indices.type.element == .int64 else {
            throw .model("indices are \(indices.type.element), expected int64")
        }
        let isLinear = indices.extents == [count]
        guard isLinear || indices.extents == [count, extents.count] else {
            throw .model(
                "indices have extents \(indices.extents), expected [\(count)] or [\(count), \(extents.count)]"
            )
        }
        let numbers = indices.elements(as: Int64.self).map { Int($0) }
        let total = elementCount(of: extents) ?? 0
        var positions: [Int] = []
        for row in 0..<count {
            let position = isLinear ? numbers[row] : linear(numbers[(row * extents.count)...], extents)
            guard let position, position >= 0, position < total else { throw .model("an index lies outside") }
            guard position > positions.last ?? -1 else { throw .model("indices don't rise") }
            positions.append(position)
        }
        return positions
    }

    private static func linear(_ coordinates: ArraySlice<Int>, _ extents: [Int]) -> Int? {
        var position = 0
        for (coordinate, extent) in zip(coordinates, extents) {
            guard coordinate >= 0, coordinate < extent else { return nil }
            position = position * extent + coordinate
        }
        return position
    }
}
