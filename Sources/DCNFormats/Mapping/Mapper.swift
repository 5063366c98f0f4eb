package import DCNGraph

/// Makes the graph that a source model means.
///
/// Throws `unsupported` with all operators that no dialect knows, else the first misfit met.
package func map(
    _ model: SourceModel, dialects: [Dialect], keepingInputs kept: Set<String> = [],
    limits: ValueLimits = ValueLimits()
) throws(DCNError) -> Graph {
    var mapper = Mapper(dialects: dialects, limits: limits)
    let graph = try mapper.graph(
        of: model.graph, file: model.file, keepingInputs: kept, outer: nil, captures: [])
    if let graph, mapper.unsupported.isEmpty { return graph }
    throw DCNError(
        .unsupported, .map, .unsupported(mapper.report), at: Origin(file: model.file, path: ""))
}

/// Everything that keeps a source model from being mapped: what nobody knows in one error, then each misfit.
package func problems(in model: SourceModel, dialects: [Dialect]) -> [DCNError] {
    var mapper = Mapper(dialects: dialects)
    mapper.collects = true
    var found: [DCNError] = []
    do throws(DCNError) {
        _ = try mapper.graph(of: model.graph, file: model.file, outer: nil, captures: [])
    } catch { found.append(error) }
    if !mapper.unsupported.isEmpty {
        let origin = Origin(file: model.file, path: "")
        found.insert(DCNError(.unsupported, .map, .unsupported(mapper.report), at: origin), at: 0)
    }
    return found + mapper.problems
}

/// Maps graphs, and remembers what nobody knows.
struct Mapper {
    let dialects: [Dialect]
    let limits: ValueLimits
    /// Whether mapping goes on after a misfit, as if the node were unsupported.
    var collects = false
    /// The misfits so far, when it does.
    var problems: [DCNError] = []
    var unsupported: [(node: SourceNode, hint: String)] = []

    init(dialects: [Dialect], limits: ValueLimits = ValueLimits()) {
        self.dialects = dialects
        self.limits = limits
    }

    /// The names a body sees: its own, then those of the graph around it.
    final class Names {
        var values: [String: ValueID] = [:]
        /// Names of values that an unsupported node would have written.
        var poisoned: Set<String> = []
        /// Names of values that operators keep for themselves.
        var hidden: Set<String> = []
    }

    /// A value of the graph around a body that the body reads.
    struct Capture {
        let name: String
        let type: ValueType
        let constant: Datum?
    }

    /// The graph, or nil when its outputs hang on unsupported nodes.
    mutating func graph(
        of source: SourceGraph, file: String, keepingInputs kept: Set<String> = [], outer: [ValueType?]?,
        captures: [Capture]
    ) throws(DCNError) -> Graph? {
        var graph = Graph(name: source.name, limits: limits)
        let names = Names()
        try declare(source, file: file, keepingInputs: kept, outer: outer, captures: captures, names, &graph)
        for index in try runningOrder(of: source.nodes) {
            do throws(DCNError) { try append(source.nodes[index], names, &graph, file: file) } catch {
                guard collects else { throw error }
                problems.append(error)
                names.poisoned.formUnion(source.nodes[index].outputs)
            }
        }
        for output in source.outputs {
            if names.poisoned.contains(output.name) { return nil }
            if names.hidden.contains(output.name) {
                throw DCNError(Mapper.reading(output.name), .map, at: Origin(file: file, path: source.name))
            }
            guard let value = names.values[output.name] else {
                throw DCNError(
                    .model, .map, "output '\(escaped(output.name))' is written by no node",
                    at: Origin(file: file, path: source.name))
            }
            graph.addOutput(value, named: output.name)
        }
        return graph
    }

    private func declare(
        _ source: SourceGraph, file: String, keepingInputs kept: Set<String>, outer: [ValueType?]?,
        captures: [Capture], _ names: Names, _ graph: inout Graph
    ) throws(DCNError) {
        let constants = Dictionary(
            source.initialisers.map { ($0.name, $0.tensor) }, uniquingKeysWith: { _, last in last })
        var seen: Set<String> = []
        for (name, _) in source.initialisers where !seen.insert(name).inserted {
            throw DCNError(
                .model, .map, "initialiser '\(escaped(name))' is there twice",
                at: Origin(file: file, path: "graph"))
        }
        for (index, input) in source.inputs.enumerated() {
            guard outer != nil || constants[input.name] == nil || kept.contains(input.name) else { continue }
            guard let type = inputType(input, from: outer, at: index) else {
                throw DCNError(
                    .model, .map, "input '\(escaped(input.name))' has no type",
                    at: Origin(file: file, path: "graph.input[\(index)]"))
            }
            try bind(input.name, graph.addInput(input.name, type), names, file)
        }
        for capture in captures {
            if let constant = capture.constant {
                try bind(capture.name, graph.addConstant(capture.name, constant), names, file)
            } else {
                try bind(capture.name, graph.addInput(capture.name, capture.type), names, file)
            }
        }
        for (name, tensor) in source.initialisers where names.values[name] == nil || constants[name] == nil {
            try bind(name, graph.addConstant(name, .tensor(tensor)), names, file)
        }
    }

    /// The stated type; in a body, where none is stated, the operand's with its extents forgotten.
    private func inputType(_ input: SourceValue, from outer: [ValueType?]?, at index: Int) -> ValueType? {
        if let type = input.type { return type }
        guard let outer, index < outer.count, let operand = outer[index] else { return nil }
        guard let tensor = operand.tensor else { return operand }
        return .tensor(TensorType(tensor.element, nil))
    }

    private func bind(_ name: String, _ value: ValueID, _ names: Names, _ file: String) throws(DCNError) {
        guard names.values.updateValue(value, forKey: name) == nil else {
            throw DCNError(
                .model, .map, "'\(escaped(name))' is declared twice", at: Origin(file: file, path: "graph"))
        }
    }
}
