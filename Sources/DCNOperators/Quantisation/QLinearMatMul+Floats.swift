internal import DCNGraph

extension QLinearMatMul {
    /// The product where an operand or the result is of floats of eight bits.
    func floatExecution(
        _ call: Call, _ product: IntegerProduct, _ zeros: (a: Int, b: Int)
    ) throws(Misfit) -> Execution {
        let a = Quantised(0, zero: 2, count: zeros.a, try ElementReader(try call.input(0).element))
        let b = Quantised(3, zero: 5, count: zeros.b, try ElementReader(try call.input(3).element))
        let zero = try ElementReader(try call.output(0).element)
        let writer = try ElementWriter(try call.output(0).element)
        let scales = try Scales(call, a: 1, b: 4, y: 6, product)
        let tiling = Tiling(product.lines, cost: max(1, product.inner * product.columns))
        return .kernel(
            TileKernel(tiles: tiling.tiles, scratch: product.columns * 8) { tile, frame in
                let sums = frame.scratch(as: Double.self)
                let zero = zero.number(UnsafeRawPointer(frame.input(7, as: UInt8.self)), 0)
                let y = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
                for line in tiling[tile] {
                    product.sum(line: line, a, b, frame, into: sums)
                    for column in 0..<product.columns {
                        let value = sums[column] * Double(scales.factor(frame, line: line, column: column))
                        writer.store(writer.rounded(value, zero), y, line * product.columns + column)
                    }
                }
            })
    }
}

/// An operand of any type of eight bits, with the zero points that are taken off its elements.
private struct Quantised: Sendable {
    private let index: Int
    private let zero: Int
    private let count: Int
    private let reader: ElementReader

    /// The operand at `index` of a call, with `count` zero points in the one at `zero`.
    init(_ index: Int, zero: Int, count: Int, _ reader: ElementReader) {
        self.index = index
        self.zero = zero
        self.count = count
        self.reader = reader
    }

    /// The element at `place` less the zero point of the row or column `part` of a matrix.
    func value(_ frame: Frame, _ place: Int, part: Int, of extent: Int, matrix: Int) -> Double {
        let shared = sharedPlace(part, of: extent, matrix: matrix, count: count)
        return reader.number(UnsafeRawPointer(frame.input(index, as: UInt8.self)), place)
            - reader.number(UnsafeRawPointer(frame.input(zero, as: UInt8.self)), shared)
    }
}

extension IntegerProduct {
    /// sums[j] = Σ_k (a[line, k] − zero) (b[k, j] − zero) in double precision.
    fileprivate func sum(
        line: Int, _ a: Quantised, _ b: Quantised, _ frame: Frame, into sums: UnsafeMutablePointer<Double>
    ) {
        let (matrices, row) = (matrices(line: line), line % rows)
        sums.update(repeating: 0, count: columns)
        for k in 0..<inner {
            let place = (matrices.a * rows + row) * inner + k
            let factor = a.value(frame, place, part: row, of: rows, matrix: matrices.a)
            for column in 0..<columns {
                let place = (matrices.b * inner + k) * columns + column
                sums[column] += factor * b.value(frame, place, part: column, of: columns, matrix: matrices.b)
            }
        }
    }
}

extension ElementWriter {
    /// The bits of a quotient and the zero point of its type: integers are rounded, halves to even, and bounded.
    fileprivate func rounded(_ value: Double, _ zero: Double) -> UInt64 {
        guard element.isInteger else { return bits(of: value + zero) }
        return UInt64(quantised(Float(value), Int32(zero), isSigned: element.isSigned))
    }
}
