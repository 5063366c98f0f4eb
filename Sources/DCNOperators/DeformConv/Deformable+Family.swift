internal import DCNGraph

extension Family {
    /// Operators that sample where learnt offsets say, by all the names that plugins and exporters give them.
    static let deformables = Family(
        [DeformAggregate.self], [:],
        anywhere: [DeformSpellings.anywhere, AggregateSpellings.anywhere, RefusedSpellings.anywhere]
            .reduce(into: [:]) { $0.merge($1) { first, _ in first } },
        early: ["DeformConv": { (node) throws(Misfit) in try DeformSpellings.byShape(node) }])
}
