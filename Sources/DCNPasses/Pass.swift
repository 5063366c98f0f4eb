package import DCNGraph

/// A step from graph to graph that gives the same answers.
package protocol Pass: Sendable {
    /// The name by which `--fuse` and `--explain` know it, in kebab-case.
    static var name: String { get }
    /// Rewrites the graph, telling each rewrite to `log`.
    func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError)
}

extension Pass {
    /// The name of the pass's type.
    package var name: String { Self.name }
}

/// One rewrite that was made, or that almost was: which rule, at which node.
package struct Rewriting: Sendable, Hashable {
    /// The rule's or pass's name.
    package let rule: String
    /// The node that was replaced, or that was looked at.
    package let node: String
    /// Why nothing was rewritten where it might have been; nil: it was.
    package let refusal: String?
    /// A rewrite from its parts.
    package init(rule: String, node: String, refusal: String? = nil) {
        self.rule = rule
        self.node = node
        self.refusal = refusal
    }
}

extension Graph {
    /// Runs `edit` on every body in the graph.
    package mutating func editBodies(_ edit: (inout Graph) throws(DCNError) -> Void) throws(DCNError) {
        for node in nodes where !self[node].bodies.isEmpty {
            var bodies = self[node].bodies
            for index in bodies.indices { try edit(&bodies[index]) }
            setBodies(bodies, of: node)
        }
    }
}
