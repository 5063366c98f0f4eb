internal import CKernels
internal import DCNGraph

/// Two operands that are tensors of strings, and the type their operator gives.
func stringPair(_ values: [Datum?], giving op: some Operator) throws(Misfit) -> (Tensor, Tensor, TensorType) {
    let types = try op.boundedOutputTypes(for: Inputs(values.map { $0?.type }))
    guard let a = values.first??.tensor, let b = values.dropFirst().first??.tensor,
        let type = types.first?.tensor
    else { throw .missing("an operand") }
    return (a, b, type)
}

/// Calls `body` for every element of a result, with positions in up to three operands (lanes 0 … 2) and the result
/// (lane 3).
func forEachIndex(
    _ operands: [TensorType], _ output: TensorType, _ body: (SIMD4<Int>) -> Void
) throws(Misfit) {
    let walk = try Broadcast(operands, output: output)
        .walk(a: 0, b: operands.count > 1 ? 1 : nil, c: operands.count > 2 ? 2 : nil)
    for tile in 0..<walk.tiles {
        walk.forEach(in: tile) { shape, offset in
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    body(
                        offset &+ walk.row &* SIMD4(repeating: row) &+ walk.column &* SIMD4(repeating: column)
                    )
                }
            }
        }
    }
}
