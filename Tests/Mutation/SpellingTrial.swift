internal import DCNGraph
internal import DCNOperators

/// Tries one spelling of an operator, with attributes and operands that nobody chose with care.
package struct SpellingTrial: Sendable {
    /// The spellings that can be tried: those of every dialect.
    package static let spellings: [(domain: String, name: String)] = Catalogue.dialects.flatMap { dialect in
        dialect.spellings.keys.sorted().map { (dialect.domain ?? "anywhere", $0) }
    }

    private static let patience = 24

    /// Writes a node of that name, asks which attributes it has, finds operands that it takes, and runs it.
    package static func run(
        _ spelling: (domain: String, name: String), _ random: inout SeededRandom
    ) -> TrialEnd {
        var operands = RandomOperands(&random)
        var node = SourceNode(
            domain: spelling.domain, opType: spelling.name,
            version: spelling.domain.isEmpty ? Int.random(in: 7...26, using: &random) : 1, name: "trial",
            outputs: outputs(&random))
        var last = TrialEnd.answered
        for _ in 0..<patience {
            let model = model(node, operands)
            last = attempt(model, &random)
            learn(from: model.graph.nodes[0], into: &node, &random)
            guard case .refused(let error) = last, error.stage == .map,
                case .misfit(let misfit) = error.reason
            else { return last }
            switch misfit {
            case .attribute(let name, let reason): change(name, reason, in: &node, &random)
            case .unknownAttributes(let names): for name in names { node.attributes[name] = nil }
            default: operands.mend(misfit, &random)
            }
        }
        return last
    }

    private static func outputs(_ random: inout SeededRandom) -> [String] {
        let count = random.one(of: [1, 1, 1, 2, 3, 4])
        return (0..<count).map { count > 1 && random.once(in: 4) ? "" : "y\($0)" }
    }

    private static func model(_ node: SourceNode, _ operands: RandomOperands) -> SourceModel {
        var graph = SourceGraph(name: "trial")
        // A copy that remembers for itself what it is asked for.
        var node = SourceNode(
            domain: node.domain, opType: node.opType, version: node.version, name: node.name,
            outputs: node.outputs, attributes: node.attributes)
        for (index, operand) in operands.operands.enumerated() {
            node.inputs.append(operand == nil ? "" : "x\(index)")
            guard let operand else { continue }
            if let value = operand.value {
                graph.initialisers.append(("x\(index)", value))
            } else {
                graph.inputs.append(SourceValue(name: "x\(index)", type: operand.type))
            }
        }
        graph.nodes = [node]
        graph.outputs = node.outputs.filter { !$0.isEmpty }.map {
            SourceValue(name: $0, type: nil)
        }
        return SourceModel(
            file: "trial", irVersion: 10, opsets: [node.domain: node.version], graph: graph)
    }

    /// Gives attributes that were asked for, most of the time one at a time.
    private static func learn(
        from asked: SourceNode, into node: inout SourceNode, _ random: inout SeededRandom
    ) {
        for name in asked.askedNames where node.attributes[name] == nil && random.once(in: 4) {
            node.attributes[name] = value(named: name, kind: nil, &random)
        }
    }

    /// Another value; of the right kind where the reason names it.
    private static func change(
        _ name: String, _ reason: String, in node: inout SourceNode, _ random: inout SeededRandom
    ) {
        if random.once(in: 3) {
            node.attributes[name] = nil
            return
        }
        let kinds = ["ints", "an int", "floats", "a float", "strings", "a string", "a tensor"]
        node.attributes[name] = value(
            named: name, kind: kinds.first { reason.contains("expected " + $0) }, &random)
    }

    private static func value(
        named name: String, kind: String?, _ random: inout SeededRandom
    ) -> SourceAttribute {
        let isTame = !random.once(in: 3)
        func int(_ random: inout SeededRandom) -> Int {
            isTame ? random.one(of: [0, 1, 1, 1, 2, 2, 3, -1]) : HostileValues.int(&random)
        }
        let count = random.one(of: [0, 1, 2, 2, 2, 3, 4, 4])
        switch kind ?? random.one(of: ["an int", "an int", "ints", "a float", "a string"]) {
        case "an int": return .int(int(&random))
        case "ints": return .ints((0..<count).map { _ in int(&random) })
        case "a float": return .float(Float(HostileValues.float(&random)))
        case "floats": return .floats((0..<count).map { _ in Float(HostileValues.float(&random)) })
        case "strings":
            return .strings((0..<count).map { _ in ByteString(random.one(of: HostileValues.words)) })
        case "a tensor":
            let type = TensorType(random.one(of: [.float32, .int64, .string]), extents: [count])
            return HostileValues.tensor(type, &random).map { .tensor($0) } ?? .int(0)
        default: return .string(ByteString(random.one(of: HostileValues.words)))
        }
    }
}
