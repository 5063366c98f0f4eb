internal import DCNGraph

/// The position of the last node that reads each value; graph outputs live for ever.
struct Liveness: Sendable {
    let lastUse: [Int]
    /// Position in running order, by node index.
    let position: [NodeID: Int]

    init(_ graph: Graph) {
        var last = [Int](repeating: -1, count: graph.valueCount)
        var position: [NodeID: Int] = [:]
        for (index, node) in graph.nodes.enumerated() {
            position[node] = index
            for input in graph[node].inputs { if let input { last[input.index] = index } }
        }
        for output in graph.outputs { last[output.index] = Int.max }
        lastUse = last
        self.position = position
    }
}
