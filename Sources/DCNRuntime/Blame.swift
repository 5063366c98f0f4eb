internal import DCNGraph

extension Graph {
    /// The error, with whom it concerns: where time or memory ran out, that is the inputs when what was asked for
    /// follows from them, else the model.
    func blamed(_ error: DCNError) -> DCNError {
        guard case .misfit(let misfit) = error.reason, error.kind == .model else { return error }
        switch misfit {
        case .limit, .stopped: break
        default: return error
        }
        var blamed = error
        blamed.kind = isCausedByInputs(error.origin) ? .input : .model
        return blamed
    }

    private func isCausedByInputs(_ origin: Origin?) -> Bool {
        guard let origin,
            let node = nodes.first(where: { self[$0].origin == origin || self[$0].holds(origin) })
        else {
            return inputs.contains { !self[$0].type.isConcrete }
        }
        if !self[node].bodies.isEmpty {
            // The trip count; what grows from trip to trip is the model's doing.
            guard let trips = self[node].inputs.first.flatMap({ $0 }) else { return false }
            return roots(of: [trips]).contains { inputs.contains($0) }
        }
        let outputs = self[node].outputs.compactMap { $0 }
        if outputs.allSatisfy({ self[$0].type.isConcrete }) { return false }
        return roots(of: self[node].inputs.compactMap { $0 }).contains { root in
            inputs.contains(root)
                && (!self[root].type.isConcrete || self[root].type.tensor?.element.isInteger == true)
        }
    }

    /// The values without a producer that these follow from.
    private func roots(of values: [ValueID]) -> Set<ValueID> {
        var seen = Set(values)
        var rest = values
        var roots: Set<ValueID> = []
        while let value = rest.popLast() {
            guard let producer = self[value].producer else {
                roots.insert(value)
                continue
            }
            for input in self[producer].inputs {
                if let input, seen.insert(input).inserted { rest.append(input) }
            }
        }
        return roots
    }
}

extension Node {
    /// Whether a node of that origin is in a graph inside this one.
    fileprivate func holds(_ origin: Origin) -> Bool {
        bodies.contains { body in
            body.nodes.contains { body[$0].origin == origin || body[$0].holds(origin) }
        }
    }
}
