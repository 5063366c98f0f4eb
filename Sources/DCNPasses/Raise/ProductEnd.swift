internal import DCNGraph
internal import DCNOperators

/// What follows a product until it is an image: movement, and one constant number added to each channel.
struct ProductEnd {
    /// The last value that has the form of an image, [N, outputs, OH, OW].
    let root: ValueID
    /// What was added on the way there.
    let bias: Tensor?

    init?(_ product: ValueID, outputs: Int, bias: Tensor?, _ graph: Graph) {
        func isImage(_ value: ValueID) -> Bool {
            graph.floatExtents(value).map { $0.count == 4 && $0[1] == outputs } ?? false
        }
        var (value, added) = (product, bias)
        var found = isImage(product) ? (root: product, bias: bias) : nil
        while graph[value].consumers.count == 1, !graph.isOutput(value),
            let reader = graph[value].consumers.first, let next = graph[reader].outputs.first ?? nil
        {
            if graph[reader].op is Add {
                guard added == nil, let constant = Self.addend(reader, beside: value, graph),
                    constant.count == outputs, let vector = constant.reshaped(to: [outputs])
                else { break }
                added = vector
            } else if !Self.moves(graph[reader].op) || graph[reader].inputs.first != value {
                break
            }
            value = next
            if isImage(value) { found = (value, added) }
        }
        guard let found else { return nil }
        (root, self.bias) = (found.root, found.bias)
    }

    private static func addend(_ node: NodeID, beside value: ValueID, _ graph: Graph) -> Tensor? {
        guard let other = graph[node].inputs.first(where: { $0 != value }) ?? nil else { return nil }
        return graph[other].constant?.tensor
    }

    private static func moves(_ op: any Operator) -> Bool {
        ["Reshape", "Transpose", "Squeeze", "Unsqueeze"].contains(op.name)
    }
}
