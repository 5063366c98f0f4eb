internal import CKernels
package import DCNGraph

extension MatMul: Packable {
    package func packed(for inputs: Inputs, choices: PackingChoices) throws(Misfit) -> PackedForm? {
        guard packed == nil, let b = inputs.constants[1]?.tensor?.aligned(), b.type.element == .float32,
            b.extents.count >= 2
        else { return nil }
        let view = MatrixView(b.extents, rightAxes(rank: b.extents.count))
        // A single column is best read as it lies.
        guard b.count > 0, view.columns > 1, let panels = panels(b, view) else { return nil }
        var op = self
        op.scale = 1
        op.transposesRight = false
        op.movesRightBatch = false
        op.packed = PackedMatrix(form: .panels, extents: view.batch + [view.rows, view.columns])
        var constants = [1: panels]
        if inputs.has(2), let addend = inputs.constants[2]?.tensor?.aligned() {
            constants[2] = scaled(addend, columns: view.columns)
            op.addendScale = 1
        }
        return PackedForm(op, constants: constants)
    }

    private func panels(_ b: Tensor, _ view: MatrixView) -> Tensor? {
        var shape = dcn_matmul_shape()
        (shape.inner, shape.columns, shape.scale) = (view.rows, view.columns, scale)
        (shape.b_inner, shape.b_column) = (view.rowStep, view.columnStep)
        let each = dcn_matmul_packed_count(&shape)
        let products = view.batch.reduce(1, *)
        let (count, overflow) = each.multipliedReportingOverflow(by: products)
        guard each > 0, !overflow else { return nil }
        let source = b.base.assumingMemoryBound(to: Float.self)
        return floats(count: count) { target in
            for product in 0..<products {
                for tile in 0..<dcn_matmul_pack_tiles(&shape) {
                    dcn_matmul_pack(&shape, source + view.offset(product), tile, target + product * each)
                }
            }
        }
    }

    /// The addend with its factor applied; a single number as one for each column.
    private func scaled(_ addend: Tensor, columns: Int) -> Tensor {
        let values = addend.elements(as: Float.self).map { addendScale == 1 ? $0 : $0 * addendScale }
        if values.count == 1, addend.extents.count <= 2 {
            return Tensor(vector: Array(repeating: values[0], count: columns))
        }
        return Tensor(extents: addend.extents, values) ?? addend
    }
}
