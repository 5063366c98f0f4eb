internal import DCNGraph

/// A product on known extents: its operands as matrices, and their batch.
struct MatMulGeometry: Sendable {
    var left: MatrixView
    var right: MatrixView
    var addend: MatrixView?
    var batch: [Int]
    let hasResidual: Bool

    var rows: Int { left.rows }
    var inner: Int { left.columns }
    var columns: Int { right.columns }
    var products: Int { batch.reduce(1, *) }

    init(_ op: MatMul, _ call: Call) throws(Misfit) {
        let a = try call.extents(0)
        let b: [Int]
        if let packed = op.packed { b = packed.extents } else { b = try call.extents(1) }
        let output = try call.outputExtents(0)
        var left = MatrixView(a, op.leftAxes(rank: a.count))
        var right = MatrixView(b, op.rightAxes(rank: b.count))
        let matrixAxes = (a.count > 1 ? 1 : 0) + (b.count > 1 ? 1 : 0)
        batch = Array(output.dropLast(matrixAxes))
        left = left.repeated(to: batch)
        right = right.repeated(to: batch)
        self.left = left
        self.right = right
        hasResidual = call.has(3)
        if call.has(2) {
            addend = MatMulGeometry.addend(
                try call.extents(2), isRow: a.count > 1, isColumn: b.count > 1, batch, left.rows,
                right.columns)
        }
        if isOneProduct { collapse() }
    }

    /// An addend of a product of a vector lacks the axes that the product lacks.
    private static func addend(
        _ extents: [Int], isRow: Bool, isColumn: Bool, _ batch: [Int], _ rows: Int, _ columns: Int
    ) -> MatrixView {
        var extents = extents
        if !isColumn { extents.append(1) }
        if !isRow, extents.count > 1 || !isColumn { extents.insert(1, at: max(0, extents.count - 1)) }
        return MatrixView(extents, repeatedTo: batch, rows: rows, columns: columns)
    }

    /// Whether all products together are one with more rows.
    private var isOneProduct: Bool {
        products > 1 && right.batchIsRepeated && left.isOneMatrix
            && (addend?.isOneRow ?? true || addend?.isOneMatrix ?? true)
    }

    private mutating func collapse() {
        let count = products
        batch = []
        for view in [\MatMulGeometry.left, \.right] {
            self[keyPath: view].batch = []
            self[keyPath: view].batchSteps = []
        }
        left.rows *= count
        addend?.batch = []
        addend?.batchSteps = []
        addend?.rows *= count
    }
}
