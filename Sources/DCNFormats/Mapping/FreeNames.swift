internal import DCNGraph

extension SourceGraph {
    /// Names that the graph's nodes, or graphs inside them, read and nobody in the graph writes; in order of reading.
    var freeNames: [String] {
        var known = Set(inputs.map(\.name)).union(initialisers.map(\.name))
        for node in nodes { known.formUnion(node.outputs) }
        var seen: Set<String> = []
        var free: [String] = []
        func read(_ name: String) {
            if !name.isEmpty, !known.contains(name), seen.insert(name).inserted { free.append(name) }
        }
        for node in nodes { node.readNames.forEach(read) }
        outputs.map(\.name).forEach(read)
        return free
    }
}

extension SourceNode {
    /// The graphs among the attributes, in order of name.
    var bodies: [SourceGraph] {
        attributes.sorted { $0.key < $1.key }.flatMap { _, value -> [SourceGraph] in
            switch value {
            case .graph(let graph): [graph]
            case .graphs(let graphs): graphs
            default: []
            }
        }
    }

    /// Everything the node reads: its operands and what its bodies capture.
    var readNames: [String] { inputs.filter { !$0.isEmpty } + bodies.flatMap(\.freeNames) }
}
