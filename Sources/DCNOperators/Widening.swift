package import DCNGraph

extension Operator {
    /// How the operator runs on these types; where it has no kernel for narrow or mixed floats, by way of the widest.
    package func wideningExecution(for call: Call) throws(Misfit) -> Execution {
        guard call.bodies.isEmpty, let wide = call.commonFloat else { return try execution(for: call) }
        let widened = WidenedRoutine(op: self, wide: wide, outputs: call.outputs)
        do {
            guard case .routine(let routine) = try execution(for: call) else {
                return try execution(for: call)
            }
            return .routine(EitherRoutine(first: routine, widened: widened))
        } catch {
            guard case .unsupported = error else { throw error }
            return .routine(widened)
        }
    }
}

extension Call {
    /// The float of 32 or 64 bits that holds all floats of the operands, where these are narrow or mixed ones.
    fileprivate var commonFloat: ElementType? {
        let floats = Set((inputs + outputs).compactMap { $0?.tensor?.element }.filter(\.isFloat))
        let wide: ElementType = floats.contains(.float64) ? .float64 : .float32
        return floats.isSubset(of: [wide]) ? nil : wide
    }
}

extension ElementType {
    /// Whether this is a float of 16 bits.
    package var isHalf: Bool { self == .float16 || self == .bfloat16 }
}

/// Runs a routine; where it finds that it has no kernel for these floats, the widened one.
private struct EitherRoutine: Routine {
    let first: any Routine
    let widened: WidenedRoutine

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        do { return try first.run(inputs, in: scope) } catch {
            guard case .unsupported = error else { throw error }
            return try widened.run(inputs, in: scope)
        }
    }
}

/// Runs an operator on floats of several widths in the widest, each result rounded once.
struct WidenedRoutine: Routine {
    let op: any Operator
    let wide: ElementType
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
        guard let datum, let element = datum.tensor?.type.element, element.isFloat, element != wide else {
            return datum
        }
        return try performOne(Cast(to: wide), [datum], in: scope)
    }

    private func narrowed(_ datum: Datum?, to type: ValueType?, in scope: any Scope) throws(Misfit) -> Datum?
    {
        guard let datum, let tensor = datum.tensor, let wanted = type?.tensor?.element,
            tensor.type.element != wanted
        else { return datum }
        return try performOne(Cast(to: wanted), [datum], in: scope)
    }
}
