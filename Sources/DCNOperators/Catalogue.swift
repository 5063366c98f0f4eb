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
        return tables.keys.sorted().map { Dialect(domain: $0, tables[$0] ?? [:]) } + [
            Dialect(domain: nil, everywhere)
        ]
    }()
}
