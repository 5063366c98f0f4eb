internal import DCNFormats
package import DCNGraph
internal import DCNOperators
internal import DCNPasses
internal import DCNRuntime

/// How far a model came that need not be right.
package enum TrialEnd: Sendable, Hashable {
    /// It ran.
    case answered
    /// It was refused, with the error that says why.
    case refused(DCNError)
}

/// Takes a model the whole way, from what is written to an answer, under limits.
package func attempt(_ model: SourceModel, _ random: inout SeededRandom) -> TrialEnd {
    do throws(DCNError) {
        var graph = try map(model, dialects: Catalogue.dialects)
        _ = try Pipeline.canonical.run(on: &graph)
        _ = try Pipeline.fusing(.default).run(on: &graph)
        return attempt(graph, &random)
    } catch {
        return .refused(error)
    }
}

/// Runs a graph that need not be right, twice, under limits that small models do not meet: what runs into them is
/// a loop without end, or numbers that are wrong.
package func attempt(_ graph: Graph, _ random: inout SeededRandom) -> TrialEnd {
    do throws(DCNError) {
        let ready = Model(graph: graph)
        var options = Options(memoryLimit: 16 << 20)
        options.tripLimit = 1000
        options.instructionSet = random.one(of: InstructionSet.available)
        var session = try Session(ready, options: options)
        for _ in 0..<2 {
            let inputs = try inputs(of: ready, &random)
            let _: [String: Datum] = try session.run(inputs, deadline: now() + 500_000_000)
        }
        return .answered
    } catch {
        return .refused(error)
    }
}

private func inputs(of model: Model, _ random: inout SeededRandom) throws(DCNError) -> [String: Datum] {
    var symbols: [String: Int] = [:]
    var inputs: [String: Datum] = [:]
    for (name, type) in model.inputs {
        guard case .tensor(let tensor) = type else {
            inputs[name] = absent(type)
            continue
        }
        let dimensions =
            tensor.shape?.dimensions ?? (0..<Int.random(in: 0...5, using: &random)).map { _ in .unknown }
        var extents: [Int] = []
        for dimension in dimensions {
            switch dimension {
            case .fixed(let extent): extents.append(extent)
            case .unknown: extents.append(random.one(of: [0, 1, 1, 2, 3, 4, 8]))
            case .symbol(let symbol):
                let extent = symbols[symbol] ?? random.one(of: [0, 1, 1, 2, 3, 4, 8])
                symbols[symbol] = extent
                extents.append(extent)
            }
        }
        guard
            let value = HostileValues.tensor(
                TensorType(tensor.element, extents: extents), byteLimit: 1 << 18, &random)
        else {
            throw DCNError(.input, .run, "the input is larger than a trial gives")
        }
        inputs[name] = .tensor(value)
    }
    return inputs
}

private func absent(_ type: ValueType) -> Datum? {
    switch type {
    case .tensor: nil
    case .sequence(let element): .sequence([], of: element)
    case .optional(let element): .optional(nil, of: element)
    }
}
