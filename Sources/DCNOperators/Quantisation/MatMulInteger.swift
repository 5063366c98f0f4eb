package import DCNGraph

/// y = (A − zero of A) (B − zero of B) of bytes, in int32, wrapping.
package struct MatMulInteger: Operator {
    package static let name = "MatMulInteger"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A")
        let b = try inputs.required(1, "B")
        for operand in [a, b] { try operand.expect([.int8, .uint8]) }
        try inputs.optional(2, "a_zero_point")?.expectSameElement(as: a)
        try inputs.optional(3, "b_zero_point")?.expectSameElement(as: b)
        return [.tensor(try productType(a, b, .int32))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let product = try IntegerProduct(try call.extents(0), try call.extents(1))
        let zeros = try zeroCounts(call, 2, 3, product)
        let signs = (try call.input(0).element == .int8, try call.input(1).element == .int8)
        let tiling = Tiling(product.lines, cost: max(1, product.inner * product.columns / 8))
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let operands = IntegerProduct.Operands(
                    a: frame.input(0, as: UInt8.self), b: frame.input(1, as: UInt8.self), isSignedA: signs.0,
                    isSignedB: signs.1,
                    aZeros: zeros.a == 0 ? nil : UnsafeRawPointer(frame.input(2, as: UInt8.self)),
                    bZeros: zeros.b == 0 ? nil : UnsafeRawPointer(frame.input(3, as: UInt8.self)),
                    aZeroCount: zeros.a, bZeroCount: zeros.b)
                for line in tiling[tile] {
                    product.sum(
                        line: line, operands, into: frame.output(0, as: Int32.self) + line * product.columns)
                }
            })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        productCost(inputs, 0, 1)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 10)
    }
}

/// The type of a product; its rank and batch stay unknown while those of the operands are.
func productType(_ a: Operand, _ b: Operand, _ element: ElementType) throws(Misfit) -> TensorType {
    guard let first = a.type.extents, let second = b.type.extents else {
        guard let rank = a.rank, let other = b.rank, rank >= 2, other >= 2 else {
            return TensorType(element, nil)
        }
        var dimensions = [Dimension](repeating: .unknown, count: max(rank, other))
        dimensions[dimensions.count - 2] = a.dimension(rank - 2)
        dimensions[dimensions.count - 1] = b.dimension(other - 1)
        return TensorType(element, Shape(dimensions))
    }
    return TensorType(element, extents: try IntegerProduct(first, second).extents)
}

/// How many zero points the operands of a product have: none, one, one for each row or column, or so for every matrix.
func zeroCounts(_ call: Call, _ a: Int, _ b: Int, _ product: IntegerProduct) throws(Misfit) -> (
    a: Int, b: Int
) {
    func count(_ index: Int, _ name: String, _ extent: Int, _ matrices: Int) throws(Misfit) -> Int {
        guard call.has(index), let count = try call.input(index).elementCount else { return 0 }
        try expectShared(count, name, extent, matrices)
        return count
    }
    return (
        try count(a, "a_zero_point", product.rows, product.matrixCounts.a),
        try count(b, "b_zero_point", product.columns, product.matrixCounts.b)
    )
}

/// Throws unless `count` numbers are one for all, one for each row or column, or one for each of every matrix.
func expectShared(_ count: Int, _ name: String, _ extent: Int, _ matrices: Int) throws(Misfit) {
    guard count != 1, count != extent, count != [extent, matrices].product else { return }
    let each = matrices > 1 ? ", \(extent) or \(extent) × \(matrices)" : " or \(extent)"
    throw .value(of: name, because: "has \(count) elements, expected 1\(each)")
}

/// Multiply-adds of a product of two inputs.
func productCost(_ inputs: [ValueType?], _ a: Int, _ b: Int) -> Int {
    guard inputs.count > max(a, b), let first = inputs[a]?.tensor?.extents,
        let second = inputs[b]?.tensor?.extents,
        let product = try? IntegerProduct(first, second)
    else { return 0 }
    return product.lines * product.inner * product.columns
}
