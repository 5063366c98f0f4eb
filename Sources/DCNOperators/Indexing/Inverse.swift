package import DCNGraph

/// The inverses of square matrices [..., n, n]; what is singular comes out as infinities and NaN.
package struct Inverse: Operator {
    package static let name = "Inverse"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "X")
        if let rank = data.rank {
            guard rank >= 2 else { throw .rank(of: "X", expected: "2 or more", got: rank) }
            try data.expect(data.dimension(rank - 2), along: rank - 1, because: "square")
        }
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        switch try call.input(0).element {
        case .float32: return .kernel(try kernel(call, Float.self))
        case .float64: return .kernel(try kernel(call, Double.self))
        case let element: throw .unsupported("Inverse on \(element)")
        }
    }

    private func kernel<T: BinaryFloatingPoint & Element>(_ call: Call, _ type: T.Type) throws(Misfit)
        -> TileKernel
    {
        let extents = try call.extents(0)
        let size = extents[extents.count - 1]
        let matrices = size == 0 ? 0 : extents.dropLast(2).product
        return TileKernel(tiles: matrices, scratch: 2 * size * size * MemoryLayout<Double>.stride) {
            matrix, frame in
            let left = frame.scratch(as: Double.self)
            let right = left + size * size
            let x = frame.input(0, as: type) + matrix * size * size
            let y = frame.output(0, as: type) + matrix * size * size
            for index in 0..<(size * size) {
                left[index] = Double(x[index])
                right[index] = index / size == index % size ? 1 : 0
            }
            for column in 0..<size { eliminate(column, left, right, size) }
            for index in 0..<(size * size) { y[index] = T(right[index]) }
        }
    }
}

/// One step of Gauss and Jordan: the greatest pivot of the column, then zeros above and below it.
private func eliminate(
    _ column: Int, _ left: UnsafeMutablePointer<Double>, _ right: UnsafeMutablePointer<Double>, _ size: Int
) {
    var pivot = column
    for row in column..<size where abs(left[row * size + column]) > abs(left[pivot * size + column]) {
        pivot = row
    }
    for index in 0..<size where pivot != column {
        (left[pivot * size + index], left[column * size + index]) = (
            left[column * size + index], left[pivot * size + index]
        )
        (right[pivot * size + index], right[column * size + index]) =
            (right[column * size + index], right[pivot * size + index])
    }
    let scale = 1 / left[column * size + column]
    for index in 0..<size {
        left[column * size + index] *= scale
        right[column * size + index] *= scale
    }
    for row in 0..<size where row != column {
        let factor = left[row * size + column]
        for index in 0..<size {
            left[row * size + index] -= factor * left[column * size + index]
            right[row * size + index] -= factor * right[column * size + index]
        }
    }
}
