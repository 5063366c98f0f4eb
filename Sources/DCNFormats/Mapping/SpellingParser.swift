internal import DCNGraph

/// Reads declarations, mark by mark.
struct SpellingParser {
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
