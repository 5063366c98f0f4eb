internal import DCNGraph
internal import DCNOperators

/// The nodes between some values and others that follow from them: what a raised operator would take the place of.
struct Subgraph {
    private let graph: Graph
    private let nodes: [NodeID]
    private let inputs: Set<ValueID>
    private let outputs: [ValueID]

    /// The nodes that lead from `inputs` to `outputs`; nil where the outputs need anything else but constants.
    init?(from inputs: [ValueID], to outputs: [ValueID], in graph: Graph) {
        self.graph = graph
        self.inputs = Set(inputs)
        self.outputs = outputs
        var waiting = outputs
        var needed: Set<NodeID> = []
        while let value = waiting.popLast() {
            if self.inputs.contains(value) || graph[value].constant != nil { continue }
            guard let producer = graph[value].producer, graph[producer].op.isPure,
                graph[producer].bodies.isEmpty
            else {
                return nil
            }
            guard needed.insert(producer).inserted else { continue }
            guard needed.count <= 2_000 else { return nil }
            waiting += graph[producer].inputs.compactMap { $0 }
        }
        let places = graph.places
        nodes = needed.sorted { places[$0, default: 0] < places[$1, default: 0] }
    }

    /// The outputs for given inputs; nil where a node does not run on them.
    func evaluate(_ given: [ValueID: Tensor]) -> [Tensor]? {
        var values = given
        var readers = Dictionary(uniqueKeysWithValues: outputs.map { ($0, 1) })
        for node in nodes {
            for input in graph[node].inputs.compactMap({ $0 }) { readers[input, default: 0] += 1 }
        }
        for id in nodes {
            let node = graph[id]
            let operands = node.inputs.map { input in
                input.flatMap { values[$0].map(Datum.tensor) ?? graph[$0].constant }
            }
            guard let results = evaluated(node.op, operands, outputs: node.outputs.count) else { return nil }
            for (output, result) in zip(node.outputs, results) { if let output { values[output] = result } }
            for input in node.inputs.compactMap({ $0 }) {
                readers[input, default: 0] -= 1
                // What nobody reads any more goes: whole images of columns are large.
                if readers[input] == 0 { values[input] = nil }
            }
        }
        let results = outputs.compactMap { values[$0] }
        return results.count == outputs.count ? results : nil
    }
}

/// An operator's results on values, when it runs on them and they are not too large.
func evaluated(_ op: any Operator, _ operands: [Datum?], outputs: Int = 1) -> [Tensor]? {
    let results = try? evaluate(
        op, operands, outputCount: outputs, instructionSet: .best, byteLimit: 1 << 31)
    guard let tensors = results?.compactMap(\.tensor), tensors.count >= outputs else { return nil }
    return tensors
}

extension Graph {
    /// The position of each node in running order.
    var places: [NodeID: Int] { Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1, $0) }) }
}
