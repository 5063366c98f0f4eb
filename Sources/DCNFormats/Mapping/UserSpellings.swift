public import DCNGraph

/// Spellings that a user declares in a text, without code.
///
///     # comment
///     acme::ModulatedDCN(x, offset, mask, weight, bias) = DeformConv(x, weight, offset, bias, mask) {
///         strides: stride,                 an attribute under another name
///         pads: [padding, padding],        lists are joined: [1, 2] twice is [1, 2, 1, 2]
///         offset_group: groups or 1,       a number, text or list where the node has no such attribute
///         group: 1,                        always this
///         ignore: im2col_step              known, and without meaning here
///     }
///
/// On the right stands a spelling that is known already, `domain::Name` or `Name` of the default domain, and maybe
/// the version of the operator set that it is read for: `Softmax@13`. Attributes that are not named on either side
/// keep their names. `*::Name` stands for every domain.
public struct UserSpellings: Sendable {
    /// The text as given.
    public let text: String
    private let entries: [SpellingEntry]

    /// Reads declarations; a `model` error with the line where they are not of the form above.
    public init(_ text: String, named file: String = "") throws(DCNError) {
        self.text = text
        var parser = SpellingParser(text: text, file: file)
        entries = try parser.entries()
    }

    /// These spellings, then those of `known`, in which their meanings are looked up; a `model` error when one is not there.
    public func over(_ known: [Dialect]) throws(DCNError) -> [Dialect] {
        var tables: [String?: [String: Dialect.Spelling]] = [:]
        for entry in entries {
            let target = entry.target
            func found(in domain: String?) -> Dialect.Spelling? {
                known.lazy.filter { $0.domain == domain }.compactMap { $0.spellings[target.name] }.first
            }
            guard let spelling = found(in: target.domain) ?? found(in: nil)
            else {
                let named = (target.domain.map { $0.isEmpty ? "" : $0 + "::" } ?? "") + target.name
                throw DCNError(
                    .model, .map, "\(escaped(named)) is no known spelling, for \(escaped(entry.name))")
            }
            tables[entry.domain, default: [:]][entry.name] = entry.spelling(by: spelling)
        }
        return tables.map { Dialect(domain: $0, $1) } + known
    }
}

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

/// Reads declarations, mark by mark.
private struct SpellingParser {
    private let file: String
    private var marks: [(text: String, line: Int)] = []
    private var position = 0

    init(text: String, file: String) {
        self.file = file
        for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
            var rest = line[...]
            while let first = rest.first {
                if first == "#" { break }
                var mark = rest.prefix(1)
                if first == "\"" {
                    mark = rest.prefix { $0 != "\"" || $0 == first }
                    let body = rest.dropFirst().prefix { $0 != "\"" }
                    mark = rest.prefix(body.count + 2)
                } else if Self.isWord(first) || first == "*" {
                    mark = rest.prefix { Self.isWord($0) || $0 == "*" }
                }
                if !first.isWhitespace { marks.append((String(mark), number + 1)) }
                rest = rest.dropFirst(mark.count)
            }
        }
    }

    private static func isWord(_ letter: Character) -> Bool {
        letter.isLetter || letter.isNumber || "_.-+:@".contains(letter) && letter != ":"
    }

    mutating func entries() throws(DCNError) -> [SpellingEntry] {
        var entries: [SpellingEntry] = []
        while position < marks.count { entries.append(try entry()) }
        return entries
    }

    private mutating func entry() throws(DCNError) -> SpellingEntry {
        let (domain, name, _) = try self.name()
        let operands = try list()
        try expect("=")
        let (targetDomain, targetName, version) = try self.name()
        var entry = SpellingEntry(
            domain: domain == "*" ? nil : domain, name: name, operands: operands,
            target: (targetDomain == "*" ? nil : targetDomain, targetName, version ?? 22, try list()))
        for operand in entry.target.operands where operand != "_" && !operands.contains(operand) {
            throw error("\(operand) is no operand of \(name)")
        }
        guard next == "{" else { return entry }
        try expect("{")
        while next != "}" {
            try attribute(&entry)
            if next == "," { position += 1 }
        }
        try expect("}")
        return entry
    }

    private mutating func attribute(_ entry: inout SpellingEntry) throws(DCNError) {
        let name = try word()
        try expect(":")
        let term = try self.term()
        guard name != "ignore" else {
            switch term {
            case .attribute(let name): entry.ignored.append(name)
            case .list(let terms):
                for case .attribute(let name) in terms { entry.ignored.append(name) }
            case .literal: throw error("ignore wants names")
            }
            return
        }
        var fallback: SpellingEntry.Term?
        if next == "or" {
            position += 1
            fallback = try self.term()
        }
        entry.attributes.append((name, term, fallback))
    }

    private mutating func term() throws(DCNError) -> SpellingEntry.Term {
        if next == "[" {
            try expect("[")
            var terms: [SpellingEntry.Term] = []
            while next != "]" {
                terms.append(try term())
                if next == "," { position += 1 }
            }
            try expect("]")
            return .list(terms)
        }
        let text = try word()
        if text.first == "\"" { return .literal(.string(ByteString(String(text.dropFirst().dropLast())))) }
        if let number = Int(text) { return .literal(.int(number)) }
        if let number = Float(text), text.first?.isLetter == false { return .literal(.float(number)) }
        return .attribute(text)
    }

    /// `domain::Name@version`.
    private mutating func name() throws(DCNError) -> (domain: String, name: String, version: Int?) {
        var domain = ""
        var name = try word()
        if next == ":" {
            try expect(":")
            try expect(":")
            (domain, name) = (name, try word())
        }
        let parts = name.split(separator: "@", maxSplits: 1)
        guard parts.count == 2 else { return (domain, name, nil) }
        guard let version = Int(parts[1]) else { throw error("'\(parts[1])' is no version") }
        return (domain, String(parts[0]), version)
    }

    private mutating func list() throws(DCNError) -> [String] {
        try expect("(")
        var names: [String] = []
        while next != ")" {
            names.append(try word())
            if next == "," { position += 1 }
        }
        try expect(")")
        return names
    }

    private var next: String? { position < marks.count ? marks[position].text : nil }

    private mutating func word() throws(DCNError) -> String {
        guard let mark = next, let first = mark.first, Self.isWord(first) || first == "\"" || first == "*"
        else {
            throw error("expected a name, found '\(next ?? "the end")'")
        }
        position += 1
        return mark
    }

    private mutating func expect(_ mark: String) throws(DCNError) {
        guard next == mark else { throw error("expected '\(mark)', found '\(next ?? "the end")'") }
        position += 1
    }

    private func error(_ reason: String) -> DCNError {
        let line = position < marks.count ? marks[position].line : marks.last?.line ?? 1
        return DCNError(.model, .read, escaped(reason), at: Origin(file: file, path: "line \(line)"))
    }
}
