package import DCNGraph

/// y = saturate(round((A − zero) (B − zero) · scale of A · scale of B / scale of y) + zero of y).
///
/// Operands: A, its scale and zero, B, its scale and zero, scale and zero of y. Scales and zeros of A are one, or one for each
/// row; of B one, or one for each column. Floats of eight bits are added up in double precision, and a result of them is
/// not rounded to a whole number before its own rounding. A quotient that is NaN gives the zero point, and infinite
/// ones the bounds; floats of eight bits keep NaN.
package struct QLinearMatMul: Operator {
    package static let name = "QLinearMatMul"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "a")
        let b = try inputs.required(3, "b")
        let zero = try inputs.required(7, "y_zero_point")
        for operand in [a, b, zero] { try operand.expect([.int8, .uint8] + .eightBitFloats) }
        try inputs.required(2, "a_zero_point").expectSameElement(as: a)
        try inputs.required(5, "b_zero_point").expectSameElement(as: b)
        for (index, name) in [(1, "a_scale"), (4, "b_scale"), (6, "y_scale")] {
            try inputs.required(index, name).expect([.float32, .float16, .bfloat16])
        }
        return [.tensor(try productType(a, b, zero.element))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let product = try IntegerProduct(try call.extents(0), try call.extents(3))
        let zeros = try zeroCounts(call, 2, 5, product)
        let elements = [try call.input(0), try call.input(3), try call.output(0)].map(\.element)
        if elements.contains(where: \.isFloat) { return try floatExecution(call, product, zeros) }
        let signs = (try call.input(0).element == .int8, try call.input(3).element == .int8)
        let result = try call.output(0).element
        let scales = try Scales(call, a: 1, b: 4, y: 6, product)
        let tiling = Tiling(product.lines, cost: max(1, product.inner * product.columns / 8))
        return .kernel(
            TileKernel(tiles: tiling.tiles, scratch: product.columns * 4) { tile, frame in
                let operands = IntegerProduct.Operands(
                    a: frame.input(0, as: UInt8.self), b: frame.input(3, as: UInt8.self), isSignedA: signs.0,
                    isSignedB: signs.1, aZeros: UnsafeRawPointer(frame.input(2, as: UInt8.self)),
                    bZeros: UnsafeRawPointer(frame.input(5, as: UInt8.self)), aZeroCount: zeros.a,
                    bZeroCount: zeros.b)
                let sums = frame.scratch(as: Int32.self)
                let zero = byte(frame.input(7, as: UInt8.self), 0, isSigned: result == .int8)
                let y = frame.output(0, as: UInt8.self)
                for line in tiling[tile] {
                    product.sum(line: line, operands, into: sums)
                    for column in 0..<product.columns {
                        let factor = scales.factor(frame, line: line, column: column)
                        y[line * product.columns + column] =
                            requantised(sums[column], factor, zero, isSigned: result == .int8)
                    }
                }
            })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        productCost(inputs, 0, 3)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 10)
    }
}

/// saturate(round(sum · factor) + zero) as a byte.
@inline(__always)
func requantised(_ sum: Int32, _ factor: Float, _ zero: Int32, isSigned: Bool) -> UInt8 {
    quantised(Float(sum) * factor, zero, isSigned: isSigned)
}

/// saturate(round(x) + zero) as a byte; NaN is zero's.
@inline(__always)
func quantised(_ x: Float, _ zero: Int32, isSigned: Bool) -> UInt8 {
    let whole = x.rounded(.toNearestOrEven) + Float(zero)
    let (low, high): (Float, Float) = isSigned ? (-128, 127) : (0, 255)
    let bounded = whole.isNaN ? Float(zero) : min(max(whole, low), high)
    return UInt8(truncatingIfNeeded: Int32(bounded))
}

/// The scales of two operands and a result: one, one for each row or column, or one for each of every matrix.
struct Scales: Sendable {
    private let a: (index: Int, count: Int, reader: ElementReader)
    private let b: (index: Int, count: Int, reader: ElementReader)
    private let y: (index: Int, reader: ElementReader)
    private let product: IntegerProduct

    /// The scales at these positions among the inputs of a call.
    init(_ call: Call, a: Int, b: Int, y: Int, _ product: IntegerProduct) throws(Misfit) {
        func scale(
            _ index: Int, _ name: String, _ extent: Int, _ matrices: Int
        ) throws(Misfit) -> (index: Int, count: Int, reader: ElementReader) {
            let type = try call.input(index)
            let count = type.elementCount ?? 0
            try expectShared(count, name, extent, matrices)
            return (index, count, try ElementReader(type.element))
        }
        self.product = product
        self.a = try scale(a, "a_scale", product.rows, product.matrixCounts.a)
        self.b = try scale(b, "b_scale", product.columns, product.matrixCounts.b)
        let result = try scale(y, "y_scale", 1, 1)
        self.y = (result.index, result.reader)
    }

    /// scale of A · scale of B / scale of y.
    @inline(__always)
    func factor(_ frame: Frame, line: Int, column: Int) -> Float {
        func value(_ index: Int, _ reader: ElementReader, _ place: Int) -> Float {
            Float(reader.number(UnsafeRawPointer(frame.input(index, as: UInt8.self)), place))
        }
        let (rows, columns) = (product.rows, product.columns)
        let matrices = a.count == 1 && b.count == 1 ? (a: 0, b: 0) : product.matrices(line: line)
        let row = sharedPlace(line % rows, of: rows, matrix: matrices.a, count: a.count)
        let place = sharedPlace(column, of: columns, matrix: matrices.b, count: b.count)
        return value(a.index, a.reader, row) * value(b.index, b.reader, place) / value(y.index, y.reader, 0)
    }
}
