package import DCNGraph

/// A rewrite of what a picture shows into something better.
package protocol Rule: Sendable {
    /// In kebab-case.
    static var name: String { get }
    /// The picture, seen from the node whose first output is replaced.
    var pattern: Pattern { get }
    /// The value that takes the place of the root's first output; nil when this one is to stay.
    func rewrite(_ match: Match, in graph: inout Graph) throws(DCNError) -> ValueID?
}

extension Rule {
    /// The name of the rule's type.
    package var name: String { Self.name }
}

/// Applies rules until none fires.
package struct Rewrite: Pass {
    package static let name = "rewrite"
    let rules: [any Rule]

    /// A pass of these rules, tried in this order.
    package init(_ rules: any Rule...) { self.rules = rules }
    /// A pass of these rules, tried in this order.
    package init(_ rules: [any Rule]) { self.rules = rules }

    /// The same pass without the rules that `keep` refuses.
    package func keeping(_ keep: (String) -> Bool) -> Rewrite { Rewrite(rules.filter { keep($0.name) }) }

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        let patterns = rules.map(\.pattern)
        var changed = true
        // Each rule makes the graph smaller or more canonical; the bound only guards against a pair that undo each other.
        var roundsLeft = 64
        while changed, roundsLeft > 0 {
            changed = false
            roundsLeft -= 1
            for node in graph.nodes where graph.contains(node) {
                let op = graph[node].op
                for (rule, pattern) in zip(rules, patterns)
                where pattern.accepts(op) && graph.contains(node) {
                    guard let label = try apply(rule, pattern, at: node, &graph) else { continue }
                    changed = true
                    log.append(Rewriting(rule: rule.name, node: label))
                }
            }
        }
    }

    /// The label of a node whose result was replaced.
    private func apply(
        _ rule: any Rule, _ pattern: Pattern, at node: NodeID, _ graph: inout Graph
    ) throws(DCNError) -> String? {
        guard let match = pattern.match(node, in: graph) else { return nil }
        let label = graph.label(of: node)
        let result = try graph.inserting(before: node) { (graph) throws(DCNError) in
            try rule.rewrite(match, in: &graph)
        }
        guard let result, let old = graph[node].outputs.first.flatMap({ $0 }), old != result else {
            return nil
        }
        graph.replace(old, with: result)
        graph.removeDead(from: node)
        return label
    }
}

extension Graph {
    /// What a person calls a node: its name, else that of its first output.
    package func label(of node: NodeID) -> String {
        let name = self[node].name
        return name.isEmpty ? self[node].outputs.compactMap { $0.map { self[$0].name } }.first ?? "" : name
    }

    /// Removes a node, and then those before it, as long as nobody reads them.
    package mutating func removeDead(from node: NodeID) {
        var waiting = [node]
        while let next = waiting.popLast() {
            guard contains(next) else { continue }
            let isRead = self[next].outputs.contains { output in
                output.map { !self[$0].consumers.isEmpty || isOutput($0) } ?? false
            }
            guard !isRead else { continue }
            let writers = self[next].inputs.compactMap { $0.flatMap { self[$0].producer } }
            remove(next)
            waiting += writers
        }
    }
}
