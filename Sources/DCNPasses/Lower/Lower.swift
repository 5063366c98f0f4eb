package import DCNGraph
internal import DCNOperators

/// An operator of our own that standard operators can express.
protocol Lowerable: Operator {
    /// What takes the place of the node's outputs; nil where the operator has a standard spelling as it is.
    ///
    /// Throws a refusal of the sketch where the standard can't say it.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]?
}

/// Puts standard operators in the place of those that the standard lacks.
package struct Lower: Pass {
    package static let name = "lower"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        var refusals: [String: String] = [:]
        try run(on: &graph, log: &log, refusals: &refusals)
    }

    /// The same; tells too why nodes stay as they are, by their place in the file.
    package func run(
        on graph: inout Graph, log: inout [Rewriting], refusals: inout [String: String]
    ) throws(DCNError) {
        for (node, reason) in try lower(&graph) {
            if let reason {
                refusals[node] = reason
            } else {
                log.append(Rewriting(rule: Self.name, node: node))
            }
        }
    }

    private func lower(_ graph: inout Graph) throws(DCNError) -> [(String, reason: String?)] {
        var found: [(String, reason: String?)] = []
        try graph.editBodies { (body) throws(DCNError) in found += try lower(&body) }
        var waiting = Array(graph.nodes.reversed())
        while let id = waiting.popLast() {
            guard graph.contains(id), let op = graph[id].op as? any Lowerable else { continue }
            let label = graph.label(of: id)
            let known = Set(graph.nodes)
            do throws(DCNError) {
                guard try graph.replace(id, by: op) else { continue }
                found.append((label, nil))
                // What an operator becomes may have to be lowered itself.
                waiting += graph.nodes.filter { !known.contains($0) }.reversed()
            } catch {
                found.append((graph[id].origin?.path ?? label, reason(of: error)))
            }
        }
        return found
    }

    private func reason(of error: DCNError) -> String {
        if case .misfit(let misfit) = error.reason { return "\(misfit)" }
        return "\(error)"
    }
}
