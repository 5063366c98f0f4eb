package import DCNGraph

/// Writes a graph of canonical operators the way standard files spell it: the opposite of `map`.
///
/// The operator set is the newest of `least` and what the operators need; `asked` fixes it instead. Throws
/// `.unsupported` with all nodes that have no spelling there; `refusals` says by a node's place in the file why it could
/// not be written in other operators.
package func unmap(
    _ graph: Graph, least: Int = 7, asked: Int? = nil, refusals: [String: String] = [:]
) throws(DCNError) -> (graph: SourceGraph, opsets: [String: Int]) {
    var opset = asked ?? max(least, 7)
    // What is needed can only grow, and what nodes need may depend on what is there.
    for _ in 0..<8 {
        var unmapper = Unmapper(opset: opset, isAsked: asked != nil, refusals: refusals)
        let written = unmapper.outer(graph)
        guard unmapper.refused.isEmpty else { throw unmapper.report }
        if unmapper.needed <= opset {
            var opsets = unmapper.domains
            opsets[""] = opset
            return (written, opsets)
        }
        opset = unmapper.needed
    }
    throw DCNError(.defect, .write, "no operator set holds all nodes")
}

/// Writes graphs as their sources, and remembers what can't be written.
struct Unmapper {
    private let opset: Int
    private let isAsked: Bool
    /// The operator set version that the nodes so far need.
    private(set) var needed = 0
    /// Other domains that are used, with their versions.
    private(set) var domains: [String: Int] = [:]
    private(set) var refused: [(node: Node, hint: String)] = []
    /// All names given so far, in all graphs: none is used twice.
    private var used: Set<String> = []
    /// Names of nodes given so far: some runtimes refuse a name that two nodes have.
    private var nodeNames: Set<String> = []
    /// Constants of the graphs around, which bodies read by name.
    private var constants: [Place: String] = [:]

    private struct Place: Hashable {
        let base: UnsafeRawPointer
        let type: TensorType
    }

    private let refusals: [String: String]

    init(opset: Int, isAsked: Bool = false, refusals: [String: String] = [:]) {
        self.opset = opset
        self.refusals = refusals
        self.isAsked = isAsked
    }

    /// The whole graph; names of its ends are kept.
    mutating func outer(_ graph: Graph) -> SourceGraph {
        used = Set(graph.inputNames + graph.outputNames)
        return self.graph(graph, captured: [], keepsNames: true)
    }

    private mutating func graph(_ graph: Graph, captured: [String], keepsNames: Bool) -> SourceGraph {
        let enclosing = constants
        defer { constants = enclosing }
        var writing = Writing(graph: graph, result: SourceGraph(name: graph.name))
        let own = graph.inputs.dropLast(captured.count)
        for id in own {
            let name = keepsNames ? graph[id].name : unique(graph[id].name)
            writing.names[id] = name
            writing.result.inputs.append(SourceValue(name: name, type: graph[id].type))
        }
        for (id, name) in zip(graph.inputs.suffix(captured.count), captured) { writing.names[id] = name }
        for (id, datum) in graph.readConstants {
            writing.names[id] = constant(datum, graph[id].name, &writing)
        }
        nameOutputs(&writing, keepsNames)
        for id in graph.nodes { append(graph[id], &writing) }
        finish(&writing, keepsNames, isBody: !keepsNames)
        return writing.result
    }

    /// One graph while it is being written.
    struct Writing {
        let graph: Graph
        var result: SourceGraph
        var names: [ValueID: String] = [:]
    }

    /// Names what nodes write: outputs of the graph as the graph names them.
    private mutating func nameOutputs(_ writing: inout Writing, _ keepsNames: Bool) {
        let graph = writing.graph
        let written = Set(graph.nodes.flatMap { graph[$0].outputs.compactMap { $0 } })
        for (id, name) in zip(graph.outputs, graph.outputNames)
        where written.contains(id) && writing.names[id] == nil {
            writing.names[id] = keepsNames ? name : unique(name)
        }
        for id in graph.nodes {
            for output in graph[id].outputs {
                guard let output, writing.names[output] == nil else { continue }
                let name = unique(graph[output].name)
                writing.names[output] = name
                if case .tensor(let type) = graph[output].type, type.shape != nil {
                    writing.result.valueTypes.append(SourceValue(name: name, type: graph[output].type))
                }
            }
        }
    }

    /// Declares the outputs; values that no node of the graph writes under that name get there through a node.
    private mutating func finish(_ writing: inout Writing, _ keepsNames: Bool, isBody: Bool) {
        var given: Set<String> = []
        let own = Set(writing.result.nodes.flatMap(\.outputs))
        for (id, outputName) in zip(writing.graph.outputs, writing.graph.outputNames) {
            let source = writing.names[id] ?? ""
            var name = keepsNames ? outputName : source
            let isPlain = keepsNames ? source == outputName : own.contains(source) && !given.contains(source)
            if !isPlain {
                if !keepsNames { name = unique(outputName) }
                add("Identity", [source], [name], since: writing.graph[id].type.identitySince, &writing)
            }
            given.insert(name)
            writing.result.outputs.append(SourceValue(name: name, type: writing.graph[id].type))
        }
    }

    mutating func unique(_ name: String) -> String {
        let base = name.isEmpty ? "value" : name
        var candidate = base
        var number = 1
        while !used.insert(candidate).inserted {
            candidate = "\(base)_\(number)"
            number += 1
        }
        return candidate
    }

    private mutating func add(
        _ opType: String, _ inputs: [String], _ outputs: [String],
        attributes: [String: SourceAttribute] = [:], since: Int, _ writing: inout Writing
    ) {
        needed = max(needed, since)
        writing.result.nodes.append(
            SourceNode(
                opType: opType, version: opset, inputs: inputs, outputs: outputs, attributes: attributes))
    }
}

extension Unmapper {
    /// The name of a constant, declared now unless a graph around holds it.
    private mutating func constant(_ datum: Datum, _ wanted: String, _ writing: inout Writing) -> String {
        switch datum {
        case .tensor(let tensor):
            let place = Place(base: tensor.base, type: tensor.type)
            if tensor.byteCount > 0, let known = constants[place] { return known }
            let name = unique(wanted)
            writing.result.initialisers.append((name, tensor))
            if tensor.byteCount > 0 { constants[place] = name }
            return name
        case .sequence(let items, let element):
            let name = unique(wanted)
            guard !items.isEmpty else {
                let code = element.tensor?.element.rawValue ?? 1
                add("SequenceEmpty", [], [name], attributes: ["dtype": .int(code)], since: 11, &writing)
                return name
            }
            let parts = items.enumerated().map { constant($1, "\(wanted).\($0)", &writing) }
            add("SequenceConstruct", parts, [name], since: 11, &writing)
            return name
        case .optional(let item, let element):
            let name = unique(wanted)
            if let item {
                add("Optional", [constant(item, wanted + ".value", &writing)], [name], since: 15, &writing)
            } else {
                add("Optional", [], [name], attributes: ["type": .type(element)], since: 15, &writing)
            }
            return name
        }
    }

    private mutating func uniqueNode(_ name: String) -> String {
        guard !name.isEmpty else { return "" }
        var candidate = name
        var number = 1
        while !nodeNames.insert(candidate).inserted {
            candidate = "\(name)_\(number)"
            number += 1
        }
        return candidate
    }

    private mutating func append(_ node: Node, _ writing: inout Writing) {
        let operands = writing.graph.operands(
            of: node.inputs, bodies: node.bodies, outputCount: node.outputs.count)
        let spelling: WrittenNode
        do throws(Misfit) { spelling = try node.op.written(for: operands, opset: opset) } catch {
            return refused.append((node, refusals[node.origin?.path ?? ""] ?? "\(error)"))
        }
        if spelling.domain.isEmpty {
            needed = max(needed, spelling.since)
        } else {
            domains[spelling.domain] = max(domains[spelling.domain] ?? 1, spelling.since)
        }
        if isAsked, spelling.domain.isEmpty, spelling.since > opset {
            refused.append((node, "needs operator set \(spelling.since), \(opset) was asked for"))
        }
        let names = node.inputs.map { $0.flatMap { writing.names[$0] } ?? "" }
        var inputs =
            spelling.order.map { $0.map { $0.flatMap { $0 < names.count ? names[$0] : nil } ?? "" } } ?? names
        let captured = spelling.bodies.isEmpty ? [] : Self.captured(names, spelling)
        while inputs.last == "" { inputs.removeLast() }
        var attributes: [String: SourceAttribute] = [:]
        for attribute in spelling.attributes { attributes[attribute.name] = attribute.value }
        for (name, body) in zip(spelling.bodies, node.bodies) {
            attributes[name] = .graph(graph(body, captured: captured, keepsNames: false))
        }
        var outputs = node.outputs.map { $0.flatMap { writing.names[$0] } ?? "" }
        while outputs.last == "" { outputs.removeLast() }
        writing.result.nodes.append(
            SourceNode(
                domain: spelling.domain, opType: spelling.opType, version: opset, name: node.name,
                inputs: inputs,
                outputs: outputs, attributes: attributes))
    }

    /// Operands that the spelling does not write: its bodies read them by name.
    private static func captured(_ names: [String], _ spelling: WrittenNode) -> [String] {
        guard let order = spelling.order else { return [] }
        return names[min(names.count, (order.compactMap { $0 }.max() ?? -1) + 1)...].map { $0 }
    }

    /// All nodes without a spelling, most frequent first.
    var report: DCNError {
        let groups = Dictionary(grouping: refused) {
            ($0.node.origin?.written ?? $0.node.op.name) + "\n" + $0.hint
        }
        let lines = groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { key, items in
            UnsupportedOperator(
                written: String(key.prefix { $0 != "\n" }), count: items.count,
                firstNodes: items.prefix(3).map {
                    $0.node.name.isEmpty ? $0.node.origin?.path ?? "" : $0.node.name
                },
                hint: items[0].hint)
        }
        return DCNError(.unsupported, .write, .unsupported(lines))
    }
}

extension ValueType {
    /// Since when the standard's identity takes such values.
    fileprivate var identitySince: Int {
        switch self {
        case .tensor: 1
        case .sequence: 14
        case .optional: 16
        }
    }
}
