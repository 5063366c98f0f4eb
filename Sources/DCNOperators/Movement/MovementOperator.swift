package import DCNGraph

/// An operator that moves elements without looking at them, so that any element of the same width will do: NaN of any
/// kind, infinities, denormals and −0 keep their bits, and none of them decides where another goes.
///
/// Strings and elements narrower than a byte are moved by surrogates: numbers of strings, and one byte for each
/// element. Where a shape waits for a value, the kernel is made during the run.
package protocol MovementOperator: Operator {
    /// Inputs whose values must be known before the kernel can be made.
    var settling: [Int] { get }
    /// The kernel on concrete types whose elements are whole bytes.
    func kernel(for call: Call) throws(Misfit) -> any Kernel
}

extension MovementOperator {
    /// None.
    package var settling: [Int] { [] }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if call.needsSurrogates { return .routine(SurrogateRoutine(op: self, outputs: call.outputs)) }
        guard try call.isSettled(settling) else {
            return .routine(LateRoutine(op: self, outputs: call.outputs))
        }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        return .kernel(try kernel(for: call))
    }
}

extension Call {
    /// Whether some operand has no element of whole bytes.
    var needsSurrogates: Bool {
        (inputs + outputs).contains {
            $0?.tensor.map { $0.element == .string || $0.element.isPacked } ?? false
        }
    }

    /// Whether all tensors have known extents and the inputs at `positions` known values; throws where an output is
    /// larger than any memory.
    func isSettled(_ positions: [Int] = []) throws(Misfit) -> Bool {
        for output in outputs {
            guard let type = output?.tensor, type.extents != nil, type.byteCount == nil else { continue }
            throw .limit(of: "the size of an output in bytes", asked: Int.max, limit: Int.max - 1)
        }
        return (inputs + outputs).allSatisfy { $0?.isConcrete ?? true }
            && positions.allSatisfy { !has($0) || constant($0) != nil }
    }

    /// Whether no output has any element.
    var isEmpty: Bool { outputs.allSatisfy { ($0?.tensor?.elementCount ?? 1) == 0 } }
}

extension Collection<Int> {
    /// The product of extents: 0 where one is, and the greatest integer where it overflows.
    var product: Int { contains(0) ? 0 : elementCount(of: Array(self)) ?? Int.max }
}

/// Runs an operator on values: types from the values, outputs within the budget of the scope.
func perform(
    _ op: any Operator, _ inputs: [Datum?], outputCount: Int = 1, in scope: any Scope
) throws(Misfit) -> [Datum?] {
    let types = try op.boundedOutputTypes(
        for: Inputs(inputs.map { $0?.type }, constants: inputs, outputCount: outputCount))
    try scope.expectRoom(for: types)
    let call = Call(
        inputs: inputs.map { $0?.type }, outputs: types, constants: inputs,
        instructionSet: scope.instructionSet)
    switch try op.execution(for: call) {
    case .routine(let routine): return try routine.run(inputs, in: scope)
    case .kernel(let kernel):
        var outputs: [MutableTensor] = []
        for type in types {
            guard let tensor = type.tensor else { throw .unsupported("a kernel that gives no tensor") }
            outputs.append(try scope.allocate(tensor))
        }
        try scope.run(kernel, inputs: inputs.map { $0?.tensor }, outputs: outputs)
        return outputs.map { .tensor($0.finished) }
    }
}

/// Runs an operator of one output on values.
func performOne(_ op: any Operator, _ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> Datum {
    guard let first = try perform(op, inputs, in: scope).first, let output = first else {
        throw .missing("the output of \(op.name)")
    }
    return output
}

/// Runs an operator whose output shapes follow from values, once the values are there.
struct LateRoutine: Routine {
    let op: any Operator
    let outputs: [ValueType?]

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        for (index, input) in inputs.enumerated() {
            guard let input, input.tensor == nil else { continue }
            throw .kind(of: "input \(index) of \(op.name)", expected: "a tensor", got: "\(input.type)")
        }
        let types = try op.boundedOutputTypes(
            for: Inputs(inputs.map { $0?.type }, constants: inputs, outputCount: outputs.count))
        guard types.allSatisfy(\.isConcrete) else { throw .missing("the shape of an output of \(op.name)") }
        return try perform(op, inputs, outputCount: outputs.count, in: scope)
    }
}
