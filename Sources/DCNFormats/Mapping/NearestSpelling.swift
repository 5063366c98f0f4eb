internal import DCNGraph

extension [Dialect] {
    /// What to do about an operator that nobody knows: the spelling that is most like it, where one is.
    func hint(for node: SourceNode) -> String {
        let advice = "say what it means with --map, or give its dialect to the library"
        if let domain = first(where: { $0.spellings[node.opType] != nil })?.domain {
            return "is known in \(Self.named(domain)): \(advice)"
        }
        guard let nearest = nearest(to: node.opType, in: node.domain) ?? contained(in: node.opType) else {
            return advice
        }
        return "closest known is \(nearest): \(advice)"
    }

    /// The spelling that differs in the fewest letters, case and underscores apart, of the same domain before others;
    /// nil when none is near.
    private func nearest(to opType: String, in domain: String) -> String? {
        let wanted = Self.letters(of: opType)
        var best: (distance: Int, name: String)?
        for dialect in sorted(by: { $0.domain == domain && $1.domain != domain }) {
            for name in dialect.spellings.keys.sorted() {
                let letters = Self.letters(of: name)
                let limit = Swift.min(
                    best.map { $0.distance - 1 } ?? .max, Swift.max(wanted.count, letters.count) / 3)
                guard abs(letters.count - wanted.count) <= limit,
                    case let distance = Self.distance(wanted, letters),
                    distance <= limit
                else { continue }
                best = (distance, name + " in " + Self.named(dialect.domain))
            }
        }
        return best?.name
    }

    /// The longest name that holds in every domain and is part of this one, as plugins are often named.
    private func contained(in opType: String) -> String? {
        let wanted = String(decoding: Self.letters(of: opType), as: UTF8.self)
        let names = filter { $0.domain == nil }.flatMap(\.spellings.keys).filter { name in
            let letters = String(decoding: Self.letters(of: name), as: UTF8.self)
            return letters.utf8.count >= 3 && wanted.contains(letters)
        }
        func rank(_ name: String) -> (Int, Int, String) {
            (Self.letters(of: name).count, -name.utf8.count, name)
        }
        return names.max { rank($0) < rank($1) }.map { $0 + " in every domain" }
    }

    private static func named(_ domain: String?) -> String {
        guard let domain else { return "every domain" }
        return domain.isEmpty ? "the default domain" : "domain \(domain)"
    }

    /// Long names from files cost no time: what follows the first letters is not compared.
    private static func letters(of name: String) -> [UInt8] {
        [UInt8](name.lowercased().utf8.filter { $0 != UInt8(ascii: "_") }.prefix(64))
    }

    /// Letters to insert, drop or change (Levenshtein's distance).
    private static func distance(_ first: [UInt8], _ second: [UInt8]) -> Int {
        var row = [Int](0...second.count)
        for (i, a) in first.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in second.enumerated() {
                let next = Swift.min(diagonal + (a == b ? 0 : 1), row[j] + 1, row[j + 1] + 1)
                diagonal = row[j + 1]
                row[j + 1] = next
            }
        }
        return row[second.count]
    }
}
