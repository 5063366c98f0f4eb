internal import DCNGraph

/// The extents of a product of matrices, and where the matrices of each batch lie.
struct IntegerProduct: Sendable {
    let rows: Int
    let inner: Int
    let columns: Int
    /// Extents of the result.
    let extents: [Int]
    /// How many matrices the operands hold.
    let matrixCounts: (a: Int, b: Int)
    private let batch: [Int]
    private let aStrides: [Int]
    private let bStrides: [Int]

    /// The product of operands of known extents, vectors being rows and columns, batches broadcast.
    init(_ a: [Int], _ b: [Int]) throws(Misfit) {
        guard !a.isEmpty, !b.isEmpty else {
            throw .rank(of: a.isEmpty ? "A" : "B", expected: "at least 1", got: 0)
        }
        let first = a.count == 1 ? [1] + a : a
        let second = b.count == 1 ? b + [1] : b
        (rows, inner, columns) = (first[first.count - 2], first[first.count - 1], second[second.count - 1])
        guard second[second.count - 2] == inner else {
            throw .extent(
                of: "B", axis: max(0, b.count - 2), expected: "\(inner)", got: "\(second[second.count - 2])",
                because: "the last extent of A")
        }
        let batches = [Array(first.dropLast(2)), Array(second.dropLast(2))]
        batch = try Self.broadcast(batches[0], batches[1])
        aStrides = Self.strides(batches[0], batch)
        bStrides = Self.strides(batches[1], batch)
        matrixCounts = (batches[0].product, batches[1].product)
        extents = batch + (a.count == 1 ? [] : [rows]) + (b.count == 1 ? [] : [columns])
    }

    /// Rows of all batches.
    var lines: Int { batch.reduce(rows, *) }

    /// Which matrices of the operands a line is of.
    func matrices(line: Int) -> (a: Int, b: Int) {
        var rest = line / rows
        var matrices = (a: 0, b: 0)
        for axis in batch.indices.reversed() {
            let index = rest % batch[axis]
            rest /= batch[axis]
            matrices.a += index * aStrides[axis]
            matrices.b += index * bStrides[axis]
        }
        return matrices
    }

    private static func broadcast(_ a: [Int], _ b: [Int]) throws(Misfit) -> [Int] {
        let rank = max(a.count, b.count)
        let first = Array(repeating: 1, count: rank - a.count) + a
        let second = Array(repeating: 1, count: rank - b.count) + b
        for axis in 0..<rank where first[axis] != second[axis] && first[axis] != 1 && second[axis] != 1 {
            throw .extent(
                of: "B", axis: axis, expected: "1 or \(first[axis])", got: "\(second[axis])",
                because: "batches of A")
        }
        return zip(first, second).map { $0 == 1 ? $1 : $0 }
    }

    private static func strides(_ own: [Int], _ batch: [Int]) -> [Int] {
        let dense = rowMajorStrides(own)
        let missing = batch.count - own.count
        return batch.indices.map { $0 < missing || own[$0 - missing] == 1 ? 0 : dense[$0 - missing] }
    }
}

extension IntegerProduct {
    /// Operands of a product as they lie, with what is taken off each element.
    struct Operands {
        let a: UnsafeRawPointer
        let b: UnsafeRawPointer
        let isSignedA: Bool
        let isSignedB: Bool
        let aZeros: UnsafeRawPointer?
        let bZeros: UnsafeRawPointer?
        let aZeroCount: Int
        let bZeroCount: Int
    }

    /// sums[j] = Σ_k (a[line, k] − zero) (b[k, j] − zero), wrapping.
    func sum(line: Int, _ operands: Operands, into sums: UnsafeMutablePointer<Int32>) {
        let matrices = matrices(line: line)
        let row = line % rows
        let zeroPlace = sharedPlace(row, of: rows, matrix: matrices.a, count: operands.aZeroCount)
        let zero = byte(operands.aZeros, zeroPlace, isSigned: operands.isSignedA)
        sums.update(repeating: 0, count: columns)
        var total: Int32 = 0
        for k in 0..<inner {
            let position = (matrices.a * rows + row) * inner + k
            let factor = byte(operands.a, position, isSigned: operands.isSignedA) &- zero
            guard factor != 0 else { continue }
            total &+= factor
            let b = operands.b + (matrices.b * inner + k) * columns
            if operands.isSignedB {
                addScaled(b.assumingMemoryBound(to: Int8.self), factor, sums, columns)
            } else {
                addScaled(b.assumingMemoryBound(to: UInt8.self), factor, sums, columns)
            }
        }
        guard let zeros = operands.bZeros else { return }
        for column in 0..<columns {
            let place = sharedPlace(column, of: columns, matrix: matrices.b, count: operands.bZeroCount)
            let zero = byte(zeros, place, isSigned: operands.isSignedB)
            sums[column] &-= zero &* total
        }
    }
}

/// Where the scale or zero point of a row or column lies among `count`: one for all, one for each row or column of any
/// matrix, or one for each of every matrix.
@inline(__always)
func sharedPlace(_ index: Int, of extent: Int, matrix: Int, count: Int) -> Int {
    count == 1 ? 0 : count == extent ? index : matrix * extent + index
}

/// One byte as an integer; 0 where there is none.
@inline(__always)
func byte(_ base: UnsafeRawPointer?, _ index: Int, isSigned: Bool) -> Int32 {
    guard let base else { return 0 }
    let value = base.load(fromByteOffset: index, as: UInt8.self)
    return isSigned ? Int32(Int8(bitPattern: value)) : Int32(value)
}

/// sums += factor · x.
@inline(__always)
func addScaled<T: FixedWidthInteger>(
    _ x: UnsafePointer<T>, _ factor: Int32, _ sums: UnsafeMutablePointer<Int32>, _ count: Int
) {
    for index in 0..<count { sums[index] &+= factor &* Int32(truncatingIfNeeded: x[index]) }
}
