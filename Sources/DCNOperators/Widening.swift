package import DCNGraph

extension Operator {
    /// How the operator runs on these types; where it has no kernel for half floats, by way of float32.
    package func wideningExecution(for call: Call) throws(Misfit) -> Execution {
        do { return try execution(for: call) } catch {
            guard case .unsupported = error, call.types.contains(where: \.isHalf) else { throw error }
            let op: any Operator = self
            return .routine(WidenedRoutine(op: op, outputs: call.outputs))
        }
    }
}

extension Call {
    fileprivate var types: [ElementType] { (inputs + outputs).compactMap { $0?.tensor?.element } }
}

extension ElementType {
    /// Whether this is a float of 16 bits.
    package var isHalf: Bool { self == .float16 || self == .bfloat16 }
}

/// Runs an operator on half floats in float32, each result rounded once.
struct WidenedRoutine: Routine {
    let op: any Operator
    let outputs: [ValueType?]

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        var wide: [Datum?] = []
        for input in inputs { wide.append(try widened(input, in: scope)) }
        let results = try perform(op, wide, outputCount: outputs.count, in: scope)
        var narrow: [Datum?] = []
        for (result, type) in zip(results, outputs) {
            narrow.append(try narrowed(result, to: type, in: scope))
        }
        return narrow
    }

    private func widened(_ datum: Datum?, in scope: any Scope) throws(Misfit) -> Datum? {
        guard let datum, datum.tensor?.type.element.isHalf == true else { return datum }
        return try performOne(Cast(to: .float32), [datum], in: scope)
    }

    private func narrowed(_ datum: Datum?, to type: ValueType?, in scope: any Scope) throws(Misfit) -> Datum?
    {
        guard let datum, let tensor = datum.tensor, let wanted = type?.tensor?.element,
            tensor.type.element != wanted
        else { return datum }
        return try performOne(Cast(to: wanted), [datum], in: scope)
    }
}
