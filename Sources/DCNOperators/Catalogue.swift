package import DCNGraph

/// All operators and all spellings there are.
package enum Catalogue {
    /// The families, each in a folder of its own.
    package static let families: [Family] = [
        .activations,
        .convolutions,
        .products,
        .deformables,
        .detections,
        .layouts,
        .losses,
        .movement,
        .normalisations,
        .pools,
        .regions,
        .resizing,
        .sampling,
        .attentions,
        .recurrences,
        .sums,
        .reductions,
        .shapes,
        .spectra,
        .suppressions,
        .unary,
        .binary,
        .indexing,
        .sequences,
        .casts,
        .generation,
        .quantisation,
        .controlFlow,
        .text,
        .learning,
    ]

    /// The operator types by canonical name.
    package static let operators: [String: any Operator.Type] = Dictionary(
        families.flatMap(\.operators).map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })

    /// One dialect per domain that any family spells for, and one for every domain.
    package static let dialects: [Dialect] = {
        var tables: [String: [String: Dialect.Spelling]] = [:]
        for family in families {
            for (domain, table) in family.spellings {
                tables[domain, default: [:]].merge(table) { first, _ in first }
            }
        }
        let everywhere = families.reduce(into: [:]) { $0.merge($1.anywhere) { first, _ in first } }
        let early = families.reduce(into: [:]) { $0.merge($1.early) { first, _ in first } }
        return tables.keys.sorted().map { domain in
            Dialect(
                domain: domain, inTime(tables[domain] ?? [:], of: domain, or: domain.isEmpty ? early : [:]))
        } + [Dialect(domain: nil, everywhere)]
    }()

    /// The spellings of a domain, each refused in versions before the standard's first, unless `early` has one for them.
    private static func inTime(
        _ table: [String: Dialect.Spelling], of domain: String, or early: [String: Dialect.Spelling]
    ) -> [String: Dialect.Spelling] {
        var table = table
        for (name, versions) in standardVersions[domain] ?? [:] {
            // What is there in the oldest version of the table may be older.
            guard let first = versions.first, first > oldestVersion(of: domain), let spelling = table[name]
            else { continue }
            table[name] = from(first, spelling, or: early[name])
        }
        return table
    }

    /// The spelling from a version on, and before it the early one or a refusal.
    private static func from(
        _ first: Int, _ spelling: @escaping Dialect.Spelling, or early: Dialect.Spelling?
    ) -> Dialect.Spelling {
        { (node) throws(Misfit) in
            if node.version >= first { return try spelling(node) }
            guard let early else { throw notYet(node, first) }
            return try early(node)
        }
    }
}

/// The refusal of a node whose operator came into the standard after the version that the model names.
func notYet(_ node: SourceNode, _ first: Int) -> Misfit {
    let set = node.domain.isEmpty ? "the operator set" : "the operator set of \(escaped(node.domain))"
    return .unsupported("it is in \(set) from version \(first) on, and the model's is \(node.version)")
}
