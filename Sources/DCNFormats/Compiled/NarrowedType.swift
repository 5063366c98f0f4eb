package import DCNGraph

extension ValueType {
    /// The type with extents fixed that were open; an `input` error where they contradict what is stated.
    package func narrowed(to shape: Shape, name: String, at origin: Origin) throws(DCNError) -> ValueType {
        guard case .tensor(var type) = self else {
            throw DCNError(
                .input, .read, "input '\(escaped(name))' is \(self), which has no shape", at: origin)
        }
        let stated = type.shape ?? Shape(Array(repeating: .unknown, count: shape.rank))
        let agrees = zip(stated.dimensions, shape.dimensions).allSatisfy { old, new in
            old.fixed == nil || new.fixed == nil || old == new
        }
        guard stated.rank == shape.rank, agrees else {
            throw DCNError(
                .input, .read, "input '\(escaped(name))' is \(self), which can't be \(shape)", at: origin)
        }
        type.shape = Shape(
            zip(stated.dimensions, shape.dimensions).map { $1.fixed == nil && $0 != .unknown ? $0 : $1 })
        return .tensor(type)
    }
}
