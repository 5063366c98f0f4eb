package import DCNGraph

/// A float32 tensor that counts 0, 1, 2, … in row-major order.
package func counting(_ extents: [Int], from start: Int = 0) -> Tensor {
    let count = extents.reduce(1, *)
    return Tensor(extents: extents, (0..<count).map { Float(start + $0) }) ?? Tensor(scalar: Float(0))
}

/// All index lists below `extents`, row-major.
package func indices(of extents: [Int]) -> [[Int]] {
    extents.reduce([[]]) { lists, extent in lists.flatMap { list in (0..<extent).map { list + [$0] } } }
}

/// The position of an index list in row-major order.
package func position(_ index: [Int], in extents: [Int]) -> Int {
    zip(index, extents).reduce(0) { $0 * $1.1 + $1.0 }
}

/// A row-major tensor laid out channels last, padding zeroed.
package func channelsLast(_ tensor: Tensor) -> Tensor {
    let type = tensor.type.with(layout: .channelsLast)
    guard let stored = type.storedExtents else { return tensor }
    var values = [Float](repeating: 0, count: stored.reduce(1, *))
    let given = tensor.elements(as: Float.self)
    for index in indices(of: tensor.extents) {
        values[position([index[0]] + index[2...] + [index[1]], in: stored)] =
            given[position(index, in: tensor.extents)]
    }
    return Tensor(type, bytesOf: values) ?? tensor
}
