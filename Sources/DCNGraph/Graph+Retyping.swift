extension Graph {
    /// The same graph for inputs of other types: all types and shape values follow anew, names and numbers stay.
    ///
    /// Throws a `map` error where a node does not take what it gets.
    package func retyped(_ types: [ValueID: ValueType]) throws(DCNError) -> Graph {
        var graph = self
        for (value, type) in types { graph.allValues[value.index].type = type }
        for id in nodes {
            let node = graph[id]
            let operands = graph.operands(
                of: node.inputs, bodies: node.bodies, outputCount: node.outputs.count)
            let found: [ValueType]
            do throws(Misfit) {
                found = try node.op.boundedOutputTypes(for: operands, within: limits)
            } catch {
                throw DCNError(error, .map, at: node.origin)
            }
            let dimensions = node.op.dimensions(for: operands)
            for (index, output) in node.outputs.enumerated() {
                guard let output, index < found.count else { continue }
                graph.allValues[output.index].type = found[index]
                graph.allValues[output.index].dimensions = index < dimensions.count ? dimensions[index] : nil
            }
        }
        return graph
    }
}
