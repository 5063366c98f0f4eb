internal import DCNGraph

/// A convolution whose weights are known only when it runs.
///
/// float32 weights are packed on the spot and take the packed kernel; float64 goes through a plain loop.
struct UnpackedConv: Routine {
    let op: Conv
    let input: TensorType
    let output: TensorType

    init(_ op: Conv, _ call: Call) throws(Misfit) {
        self.op = op
        input = try call.input(0)
        output = try call.output(0)
        guard input.element == .float32 || input.element == .float64 else {
            throw .unsupported("Conv on \(input.element)")
        }
    }

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        let operands = inputs.map { $0?.tensor }
        guard let x = operands[0], let weights = operands[1] else { throw .missing("x") }
        if output.elementCount == 0 { return [.tensor(try scope.allocate(output).finished)] }
        if input.element == .float64 {
            let sums = Datum.tensor(try double(x, weights, operands, scope))
            return [try op.activation.finished(sums, residual: inputs.count > 3 ? inputs[3] : nil, in: scope)]
        }
        let known = Inputs(inputs.map { $0?.type }, constants: inputs)
        let exact = PackingChoices(accuracy: .exact)
        guard let packed = try op.packed(for: known, choices: exact), let fast = packed.op as? Conv else {
            throw .unsupported("this convolution")
        }
        var given = operands
        for (index, constant) in packed.constants { given[index] = constant }
        return [.tensor(try runChannelsLast(fast, given, rule: fast.layoutRule(for: known), scope))]
    }

    private func double(
        _ x: Tensor, _ weights: Tensor, _ operands: [Tensor?], _ scope: any Scope
    ) throws(Misfit) -> Tensor {
        let result = try scope.allocate(output)
        let window = try op.window.resolved(kernel: Array(weights.extents[2...]))
        let sums = PlainConv(
            window: window, groups: op.groups, input: x.extents, weights: weights.extents,
            output: output.extents ?? [])
        sums.run(
            x.aligned().elements(as: Double.self), weights.aligned().elements(as: Double.self),
            operands.count > 2 ? operands[2]?.aligned().elements(as: Double.self) : nil,
            into: result.elements(as: Double.self))
        return result.finished
    }
}

/// Runs a packed float32 operator on row-major tensors: operands are converted, and so is the result.
func runChannelsLast(
    _ op: some Operator, _ operands: [Tensor?], rule: LayoutRule, _ scope: any Scope
) throws(Misfit) -> Tensor {
    var converted: Set<Int> = []
    var outputs: Set<Int> = []
    if case .channelsLast(let inputs, let results, _) = rule { (converted, outputs) = (inputs, results) }
    var given = operands
    for index in converted where index < given.count {
        if let tensor = given[index] { given[index] = try relayout(tensor, to: .channelsLast, scope) }
    }
    let types = given.map { $0.map { ValueType.tensor($0.type) } }
    let results = try op.boundedOutputTypes(for: Inputs(types, constants: given.map { $0.map(Datum.tensor) }))
    let call = Call(inputs: types, outputs: results, instructionSet: scope.instructionSet)
    guard case .kernel(let kernel) = try op.execution(for: call), let type = results[0].tensor else {
        throw .unsupported("\(op.name) here")
    }
    let result = try scope.allocate(type)
    try scope.run(kernel, inputs: given, outputs: [result])
    return outputs.contains(0) ? try relayout(result.finished, to: .rowMajor, scope) : result.finished
}

/// A float32 tensor laid out otherwise.
func relayout(_ tensor: Tensor, to layout: Layout, _ scope: any Scope) throws(Misfit) -> Tensor {
    guard tensor.type.layout != layout else { return tensor }
    let op = Relayout(to: layout)
    let type = tensor.type.with(layout: layout)
    let call = Call(
        inputs: [.tensor(tensor.type)], outputs: [.tensor(type)], instructionSet: scope.instructionSet)
    guard case .kernel(let kernel) = try op.execution(for: call) else { throw .unsupported("Relayout") }
    let result = try scope.allocate(type)
    try scope.run(kernel, inputs: [tensor], outputs: [result])
    return result.finished
}
