package import DCNGraph

/// The determinant of each matrix `[…, M, M]`, by elimination with row exchanges. What is not finite gives no finite
/// number, or 0 where a pivot is 0; the determinant of nothing is 1.
package struct Determinant: Operator {
    package static let name = "Det"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.float16, .float32, .float64, .bfloat16])
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank >= 2 else { throw .rank(of: "X", expected: "2 or more", got: shape.rank) }
        try x.expect(shape[shape.rank - 2], along: shape.rank - 1, because: "the matrices are square")
        return [.tensor(TensorType(x.element, Shape(Array(shape.dimensions.dropLast(2)))))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let count = extents.dropLast(2).reduce(1, *)
        let order = extents[extents.count - 1]
        switch try call.input(0).element {
        case .float32: return .kernel(tiles(count, order, Float.self))
        case .float64: return .kernel(tiles(count, order, Double.self))
        case let element: throw .unsupported("Det on \(element)")
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(_ count: Int, _ order: Int, _ type: T.Type)
        -> TileKernel
    {
        let (size, _) = order.multipliedReportingOverflow(by: order)
        let tiling = Tiling(count, cost: size &* max(1, order / 3))
        return TileKernel(tiles: tiling.tiles, scratch: size * 8) { (tile, frame) in
            let work = frame.scratch(as: Double.self)
            for index in tiling[tile] {
                let x = frame.input(0, as: T.self) + index * size
                for element in 0..<size { work[element] = Double(x[element]) }
                frame.output(0, as: T.self)[index] = T(Self.determinant(work, order))
            }
        }
    }

    private static func determinant(_ a: UnsafeMutablePointer<Double>, _ order: Int) -> Double {
        var result = 1.0
        for column in 0..<order {
            var pivot = column
            for row in column..<order where abs(a[row * order + column]) > abs(a[pivot * order + column]) {
                pivot = row
            }
            if pivot != column {
                for entry in 0..<order { swap(a, pivot * order + entry, column * order + entry) }
                result = -result
            }
            let top = a[column * order + column]
            result *= top
            if top == 0 { return 0 }
            for row in (column + 1)..<max(order, column + 1) {
                let factor = a[row * order + column] / top
                for entry in column..<order { a[row * order + entry] -= factor * a[column * order + entry] }
            }
        }
        return result
    }

    private static func swap(_ a: UnsafeMutablePointer<Double>, _ first: Int, _ second: Int) {
        (a[first], a[second]) = (a[second], a[first])
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Det", since: 11)
    }
}
