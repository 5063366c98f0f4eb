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

/// Runs an operator on floats that it has no kernel for, as a plan does.
package func runWidened(_ op: some Operator, _ inputs: [Tensor], outputs: Int = 1) throws -> [Tensor] {
    let types = try op.outputTypes(for: Inputs(inputs.map { .tensor($0.type) }, outputCount: outputs))
    let call = Call(inputs: inputs.map { .tensor($0.type) }, outputs: types, instructionSet: .baseline)
    guard case .routine(let routine) = try op.wideningExecution(for: call) else { return [] }
    let scope = SerialScope(instructionSet: .baseline, byteLimit: 1 << 20)
    return try routine.run(inputs.map { .tensor($0) }, in: scope).compactMap { $0?.tensor }
}
