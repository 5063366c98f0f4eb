internal import DCNGraph

/// One declaration.
struct SpellingEntry: Sendable {
    indirect enum Term: Sendable {
        case attribute(String)
        case literal(SourceAttribute)
        case list([Term])
    }

    var domain: String?
    var name: String
    var operands: [String]
    var target: (domain: String?, name: String, version: Int, operands: [String])
    var attributes: [(name: String, term: Term, fallback: Term?)] = []
    var ignored: [String] = []

    /// The spelling, by that of the target.
    func spelling(by target: @escaping Dialect.Spelling) -> Dialect.Spelling {
        let entry = self
        let spelling: Dialect.Spelling = { (node: SourceNode) throws(Misfit) -> Meaning in
            return try entry.meaning(of: node, by: target)
        }
        return spelling
    }

    /// What a node of this spelling means, by that of the target.
    func meaning(of node: SourceNode, by spelling: Dialect.Spelling) throws(Misfit) -> Meaning {
        let order = target.operands.map { operands.firstIndex(of: $0) }
        func arranged<T>(_ given: [T], missing: T) -> [T] {
            var result = order.map { index in index.flatMap { $0 < given.count ? given[$0] : nil } ?? missing
            }
            if operands.count < given.count { result += given[operands.count...] }
            return result
        }
        var inner = SourceNode(
            domain: target.domain ?? "", opType: target.name, version: target.version, name: node.name,
            inputs: arranged(node.inputs, missing: ""), outputs: node.outputs, origin: node.origin)
        while inner.inputs.last == "" { inner.inputs.removeLast() }
        if let known = node.operands {
            inner.operands = Inputs(
                Array(arranged(known.types, missing: nil).prefix(inner.inputs.count)),
                constants: arranged(known.constants, missing: nil),
                knownDimensions: arranged(known.knownDimensions, missing: nil), outputCount: known.outputCount
            )
        }
        try fill(&inner, from: node)
        var meaning = try spelling(inner)
        if case let left = inner.leftOver, !left.isEmpty { throw .unknownAttributes(left) }
        let written = (0..<inner.inputs.count).map {
            $0 < order.count ? order[$0] : operands.count + $0 - order.count
        }
        meaning.order =
            meaning.order.map { $0.map { $0.flatMap { $0 < written.count ? written[$0] : nil } } } ?? written
        return meaning
    }

    private func fill(_ inner: inout SourceNode, from node: SourceNode) throws(Misfit) {
        var used = Set(ignored)
        for name in ignored { node.ignore(name) }
        for (name, term, fallback) in attributes {
            used.formUnion(Self.names(in: term))
            if let value = try Self.value(term, node) {
                inner.attributes[name] = value
            } else if let fallback, let value = try Self.value(fallback, node) {
                inner.attributes[name] = value
            }
        }
        for name in node.attributes.keys {
            let value = node.attribute(name)
            if !used.contains(name), inner.attributes[name] == nil { inner.attributes[name] = value }
        }
    }

    private static func names(in term: Term) -> [String] {
        switch term {
        case .attribute(let name): [name]
        case .literal: []
        case .list(let terms): terms.flatMap(names(in:))
        }
    }

    /// The value; nil where an attribute in it is not there.
    private static func value(_ term: Term, _ node: SourceNode) throws(Misfit) -> SourceAttribute? {
        switch term {
        case .attribute(let name): return node.attribute(name)
        case .literal(let value): return value
        case .list(let terms):
            var integers: [Int] = []
            var floats: [Float] = []
            for term in terms {
                switch try value(term, node) {
                case .int(let value): integers.append(value)
                case .ints(let values): integers += values
                case .float(let value): floats.append(value)
                case .floats(let values): floats += values
                case nil: return nil
                default:
                    throw .unsupported("a list of other things than numbers, in a spelling of the user's")
                }
            }
            return floats.isEmpty ? .ints(integers) : .floats(integers.map(Float.init) + floats)
        }
    }
}
