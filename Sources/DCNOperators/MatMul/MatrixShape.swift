internal import DCNGraph

/// How the axes of one operand of a product are read: axes of a batch, then rows, then columns.
struct MatrixAxes: Sendable {
    /// Axes of the batch, slowest first.
    let batch: [Int]
    /// The axis of rows; nil where a vector has none.
    let row: Int?
    /// The axis of columns; nil where a vector has none.
    let column: Int?

    /// Axes of an operand of some rank. A vector is a row on the left, a column on the right.
    init(rank: Int, transposes: Bool, movesBatch: Bool, isRight: Bool) {
        if rank == 1 {
            batch = []
            row = isRight ? 0 : nil
            column = isRight ? nil : 0
            return
        }
        let moves = movesBatch && rank > 2
        batch = moves ? Array(1..<rank - 1) : Array(0..<rank - 2)
        let axes = (moves ? 0 : rank - 2, rank - 1)
        row = transposes ? axes.1 : axes.0
        column = transposes ? axes.0 : axes.1
    }
}

/// One operand of a product as extents and as steps through its elements.
struct MatrixView: Sendable {
    var rows: Int
    var columns: Int
    var rowStep: Int
    var columnStep: Int
    var batch: [Int]
    var batchSteps: [Int]

    /// A row-major tensor read along some axes.
    init(_ extents: [Int], _ axes: MatrixAxes) {
        let steps = rowMajorStrides(extents)
        rows = axes.row.map { extents[$0] } ?? 1
        columns = axes.column.map { extents[$0] } ?? 1
        rowStep = axes.row.map { steps[$0] } ?? columns
        columnStep = axes.column.map { steps[$0] } ?? 1
        batch = axes.batch.map { extents[$0] }
        batchSteps = axes.batch.map { steps[$0] }
    }

    /// A row-major tensor repeated to the shape of a product: batch, rows and columns.
    init(_ extents: [Int], repeatedTo batch: [Int], rows: Int, columns: Int) {
        let whole = batch + [rows, columns]
        let steps = MatrixView.repeating(extents, rowMajorStrides(extents), to: whole)
        self.rows = rows
        self.columns = columns
        rowStep = steps[batch.count]
        columnStep = columns == 1 ? 1 : steps[batch.count + 1]
        self.batch = batch
        batchSteps = Array(steps[..<batch.count])
    }

    /// The same operand with its batch repeated to another one.
    func repeated(to batch: [Int]) -> MatrixView {
        var view = self
        view.batchSteps = MatrixView.repeating(self.batch, batchSteps, to: batch)
        view.batch = batch
        return view
    }

    /// Where matrix number `index` of the batch begins.
    func offset(_ index: Int) -> Int {
        var rest = index
        var offset = 0
        for axis in batch.indices.reversed() {
            offset += rest % batch[axis] * batchSteps[axis]
            rest /= batch[axis]
        }
        return offset
    }

    /// Whether matrix follows matrix as row follows row.
    var isOneMatrix: Bool {
        var step = rows * rowStep
        for axis in batch.indices.reversed() where batch[axis] != 1 {
            guard batchSteps[axis] == step else { return false }
            step *= batch[axis]
        }
        return true
    }

    /// Whether every matrix of the batch, and every row of each, is the same row.
    var isOneRow: Bool { (rowStep == 0 || rows == 1) && batchIsRepeated }

    /// Whether every matrix of the batch is the same.
    var batchIsRepeated: Bool { zip(batch, batchSteps).allSatisfy { $0 == 1 || $1 == 0 } }

    private static func repeating(_ extents: [Int], _ steps: [Int], to whole: [Int]) -> [Int] {
        let missing = whole.count - extents.count
        return whole.indices.map { $0 < missing || extents[$0 - missing] == 1 ? 0 : steps[$0 - missing] }
    }
}

/// The weights of a product, packed.
package struct PackedMatrix: Sendable, Hashable, Codable {
    /// The forms there are; the version in a name changes when the bytes do.
    package enum Form: String, Sendable, Hashable, Codable {
        /// Panels of 64 columns, the last one as wide as what is left rounded up to 16.
        case panels = "gemm-1"
    }
    /// The form.
    package var form: Form
    /// Extents before packing, rows and columns last.
    package var extents: [Int]
    /// A form and what it packs.
    package init(form: Form, extents: [Int]) {
        self.form = form
        self.extents = extents
    }
}
