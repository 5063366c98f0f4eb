internal import DCNGraph

/// Changes a sequence, operand 0: where it lies when nobody else holds it, else a copy of it.
struct SequenceEdit: Routine {
    /// Changes the list and its element type; the other operands keep their places.
    private let edit: @Sendable (inout DatumList, inout ValueType, [Datum?]) -> Misfit?

    init(
        _ edit:
            @escaping @Sendable (inout DatumList, inout ValueType, [Datum?]) throws(Misfit) -> Void
    ) {
        self.edit = { (elements, type, others) in
            do throws(Misfit) { try edit(&elements, &type, others) } catch { return error }
            return nil
        }
    }

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        var inputs = inputs
        return try run(taking: &inputs, in: scope)
    }

    func run(taking inputs: inout [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        var (elements, type) = try inputs.sequence(0)
        inputs[0] = nil
        if let misfit = edit(&elements, &type, inputs) { throw misfit }
        return [.sequence(elements, of: type)]
    }
}
