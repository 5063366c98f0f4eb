package import DCNGraph
internal import DCNOperators

/// Runs one operator on tensors with an instruction set, as constant folding does.
package func run(
    _ op: any Operator, _ inputs: [Tensor?], outputs: Int = 1, on instructionSet: InstructionSet = .baseline
) throws -> [Tensor] {
    try evaluate(
        op, inputs.map { $0.map(Datum.tensor) }, outputCount: outputs, instructionSet: instructionSet,
        byteLimit: 1 << 30
    ).compactMap(\.tensor)
}
