package import DCNGraph

extension SourceModel {
    /// Makes the graph give these values, intermediate ones too, and nothing else; nodes that none of them needs go.
    ///
    /// Throws an `input` error for a name that no node writes.
    package mutating func cut(to outputs: [String]) throws(DCNError) {
        var writers: [String: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            for output in node.outputs { writers[output] = index }
        }
        let given = Set(graph.inputs.map(\.name)).union(graph.initialisers.map(\.name))
        let stated = Dictionary(
            (graph.outputs + graph.valueTypes).map { ($0.name, $0.type) },
            uniquingKeysWith: { first, _ in first })
        if let unknown = outputs.first(where: { $0.isEmpty || (writers[$0] == nil && !given.contains($0)) }) {
            throw DCNError(
                .input, .read, "the model has no value '\(escaped(unknown))'",
                at: Origin(file: file, path: ""))
        }
        var needed: Set<Int> = []
        var waiting = outputs
        while let name = waiting.popLast() {
            guard let writer = writers[name], needed.insert(writer).inserted else { continue }
            waiting += graph.nodes[writer].readNames
        }
        graph.nodes = graph.nodes.indices.filter(needed.contains).map { graph.nodes[$0] }
        graph.outputs = outputs.map { SourceValue(name: $0, type: stated[$0] ?? nil) }
    }
}
