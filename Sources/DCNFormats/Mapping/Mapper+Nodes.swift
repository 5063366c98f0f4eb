internal import DCNGraph

extension Mapper {
    /// Adds one node, or notes that nobody knows it.
    mutating func append(
        _ written: SourceNode, _ names: Names, _ graph: inout Graph, file: String
    ) throws(DCNError) {
        if written.readNames.contains(where: names.poisoned.contains) {
            names.poisoned.formUnion(written.outputs)
            if let hint = refusal(of: written) { unsupported.append((written, hint)) }
            return
        }
        if let name = written.readNames.first(where: names.hidden.contains) {
            throw DCNError(Self.reading(name), .map, at: written.origin)
        }
        var node = written
        let operands = try resolve(node.inputs, names, node)
        node.operands = graph.operands(of: operands, bodies: [], outputCount: node.outputs.count)
        if node.isConstant { return try bindConstant(node, names, &graph) }
        guard let spelling = spelling(of: node) else { return refuse(node, "", names) }
        if node.domain.isEmpty || node.domain == "ai.onnx", let most = OperandCounts.most(of: node.opType),
            node.inputs.count > most
        {
            throw DCNError(
                .value(of: "the node", because: "has \(node.inputs.count) inputs, expected at most \(most)"),
                .map, at: node.origin)
        }
        do throws(Misfit) {
            let meaning = try spelling(node)
            try addNode(node, meaning, operands, names, &graph, file: file)
        } catch {
            guard case .unsupported(let hint) = error else { throw DCNError(error, .map, at: node.origin) }
            refuse(node, hint, names)
        }
    }

    /// What is wrong with reading what an operator keeps for itself.
    static func reading(_ hidden: String) -> Misfit {
        .value(of: "'\(escaped(hidden))'", because: "is a hidden output, which is not computed")
    }

    private mutating func addNode(
        _ node: SourceNode, _ meaning: Meaning, _ operands: [ValueID?], _ names: Names, _ graph: inout Graph,
        file: String
    ) throws(Misfit) {
        var inputs = operands
        if let order = meaning.order {
            inputs = order.map { $0.flatMap { $0 < operands.count ? operands[$0] : nil } }
        }
        for (index, tensor) in meaning.extra.enumerated() {
            let name = "\(node.name.isEmpty ? node.outputs.first ?? "" : node.name).\(index)"
            inputs.append(tensor.map { graph.addConstant(name, .tensor($0)) })
        }
        // What bodies capture comes after the operands, so those keep their places there.
        while meaning.bodies.isEmpty, inputs.last == .some(nil) { inputs.removeLast() }
        do throws(DCNError) {
            let (bodies, captured) = try bodies(of: node, meaning, names, graph, file: file)
            guard let bodies else { return names.poisoned.formUnion(node.outputs) }
            let hasHidden = meaning.visible.map { node.outputs.count == $0 + 1 } ?? false
            let written = hasHidden ? node.outputs.dropLast() : node.outputs[...]
            let outputs = written.map { $0.isEmpty ? nil : $0 as String? }
            if case let left = node.leftOver, !left.isEmpty {
                throw DCNError(.unknownAttributes(left), .map, at: node.origin)
            }
            let results = try graph.appendNode(
                meaning.op, inputs + captured, bodies: bodies, named: node.name, outputs: outputs,
                origin: node.origin)
            if hasHidden, let name = node.outputs.last { names.hidden.insert(name) }
            for (name, value) in zip(node.outputs, results) {
                guard let value else { continue }
                if names.values.updateValue(value, forKey: name) != nil {
                    throw DCNError(.model, .map, "'\(escaped(name))' is declared twice", at: node.origin)
                }
            }
        } catch {
            if case .misfit(.unsupported(let hint)) = error.reason { throw .unsupported(hint) }
            throw .inner(error)
        }
    }

    private func resolve(
        _ inputs: [String], _ names: Names, _ node: SourceNode
    ) throws(DCNError) -> [ValueID?] {
        var operands: [ValueID?] = []
        for input in inputs {
            if !input.isEmpty, names.values[input] == nil {
                throw DCNError(.model, .map, "'\(escaped(input))' is written by no node", at: node.origin)
            }
            operands.append(input.isEmpty ? nil : names.values[input])
        }
        return operands
    }

    /// Maps the node's bodies, closed: constants they capture are copied in, other values become inputs of each.
    private mutating func bodies(
        of node: SourceNode, _ meaning: Meaning, _ names: Names, _ graph: Graph, file: String
    ) throws(DCNError) -> (bodies: [Graph]?, captured: [ValueID?]) {
        guard !meaning.bodies.isEmpty else { return ([], []) }
        var sources: [SourceGraph] = []
        for attribute in meaning.bodies {
            guard case .graph(let body)? = node.attribute(attribute) else {
                throw DCNError(.missing("attribute \(attribute)"), .map, at: node.origin)
            }
            sources.append(body)
        }
        var captures: [Capture] = []
        var captured: [ValueID?] = []
        var seen: Set<String> = []
        for name in sources.flatMap(\.freeNames) where seen.insert(name).inserted {
            guard let value = names.values[name] else {
                throw DCNError(.model, .map, "'\(escaped(name))' is written by no node", at: node.origin)
            }
            captures.append(Capture(name: name, type: graph[value].type, constant: graph[value].constant))
            if graph[value].constant == nil { captured.append(value) }
        }
        let outer = node.operands?.types ?? []
        var bodies: [Graph] = []
        for source in sources {
            guard let body = try self.graph(of: source, file: file, outer: outer, captures: captures) else {
                return (nil, [])
            }
            bodies.append(body)
        }
        return (bodies, captured)
    }

    private func spelling(of node: SourceNode) -> Dialect.Spelling? {
        let domain = node.domain == "ai.onnx" ? "" : node.domain
        for dialect in dialects where dialect.domain == domain {
            if let spelling = dialect.spellings[node.opType] { return spelling }
        }
        for dialect in dialects where dialect.domain == nil {
            if let spelling = dialect.spellings[node.opType] { return spelling }
        }
        return nil
    }

    /// What a node is refused for whatever its operands are; nil where it is not, empty where nobody knows it.
    private func refusal(of node: SourceNode) -> String? {
        guard let spelling = spelling(of: node) else { return "" }
        do throws(Misfit) { _ = try spelling(node) } catch {
            if case .unsupported(let hint) = error { return hint }
        }
        return nil
    }

    private mutating func refuse(_ node: SourceNode, _ hint: String, _ names: Names) {
        unsupported.append((node, hint))
        names.poisoned.formUnion(node.outputs)
    }

    /// Looking for a spelling that is like another takes time: that is done for so many operators.
    private static let mostHints = 64

    /// One line for each operator that nobody knows, most frequent first.
    var report: [UnsupportedOperator] {
        let groups = Dictionary(grouping: unsupported) { item in
            (item.node.domain.isEmpty ? "" : item.node.domain + "::") + item.node.opType + "\n" + item.hint
        }
        let order = groups.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        return order.enumerated().map { rank, group in
            let (node, hint) = group.value[0]
            return UnsupportedOperator(
                written: String(group.key.prefix { $0 != "\n" }), count: group.value.count,
                firstNodes: group.value.prefix(3).map {
                    $0.node.name.isEmpty ? $0.node.origin.path : $0.node.name
                }, hint: hint.isEmpty && rank < Self.mostHints ? dialects.hint(for: node) : hint)
        }
    }
}
