internal import DCNGraph
internal import DCNOperators

/// A product of constant weights with columns of samples: the end of a deformable convolution that was written out.
///
///     conv(columns, w) {strides = kernel}       columns [N, C, OH·KH, OW·KW]
///     conv(columns, w) {1 × 1}                  columns [N, C·T, OH, OW]
///     matMul(w, columns)                        columns [N, C·T, OH·OW]
///     matMul(columns, wᵀ)                       columns [N, OH·OW, C·T]
///     einsum(columns, w)                        columns of any order of axes
///     Σ conv(columns, w) {1 × 1}                columns [N, C, OH, OW], one for each tap
struct ColumnProduct {
    /// The samples: of all taps, or of one tap each.
    let columns: [ValueID]
    /// How the samples and weights lie.
    let form: ColumnForm
    /// The numbers that one output reads, groups apart; what is read of one tap where these are apart.
    let depth: Int
    /// Output channels.
    let outputs: Int
    /// One number for each output, or nothing.
    let bias: Tensor?
    /// Groups of channels that do not see each other.
    let groups: Int
    /// The kernel's extents where the product says them.
    let kernel: [Int]?
    /// The result, of rank 4.
    let root: ValueID
    /// The product.
    let node: Node

    /// The product that a node makes; nil where it makes none.
    init?(_ id: NodeID, in graph: Graph) {
        let node = graph[id]
        switch node.op {
        case let op as Conv: self.init(convolution: op, node, graph)
        case let op as Einsum: self.init(sum: op, node, graph)
        case is Add, is Sum: self.init(taps: id, graph)
        case let op where op.name == "MatMul": self.init(product: node, graph)
        default: return nil
        }
    }

    private init?(
        _ columns: [ValueID], _ form: ColumnForm, depth: Int, outputs: Int, groups: Int = 1,
        kernel: [Int]? = nil, bias: Tensor? = nil, _ node: Node, _ graph: Graph
    ) {
        guard let output = node.outputs[0],
            let end = ProductEnd(output, outputs: outputs, bias: bias, graph)
        else { return nil }
        (self.columns, self.form, self.depth, self.outputs) = (columns, form, depth, outputs)
        (self.groups, self.kernel, self.bias) = (groups, kernel, end.bias)
        (root, self.node) = (end.root, node)
    }

    private init?(convolution op: Conv, _ node: Node, _ graph: Graph) {
        guard op.activation == .none, let columns = node.inputs[0], node.inputs.count <= 3,
            let weights = node.inputs[1].flatMap({ graph[$0].constant?.tensor }), weights.extents.count == 4,
            let window = try? op.window.resolved(kernel: Array(weights.extents[2...])),
            window.strides == window.kernel, window.dilations == [1, 1], window.pads == [0, 0, 0, 0]
        else { return nil }
        var bias: Tensor?
        if node.inputs.count > 2, let given = node.inputs[2] {
            guard let constant = graph[given].constant?.tensor else { return nil }
            bias = constant
        }
        let isTiled = window.taps > 1
        guard isTiled || op.groups == 1 && !TapTerms.hold(node, graph) else { return nil }
        self.init(
            [columns], isTiled ? .tiles(weights) : .rows(weights),
            depth: weights.extents[1...].reduce(1, *), outputs: weights.extents[0], groups: op.groups,
            kernel: isTiled ? window.kernel : nil, bias: bias, node, graph)
    }

    private init?(product node: Node, _ graph: Graph) {
        guard let left = node.inputs[0], let right = node.inputs[1] else { return nil }
        func matrix(_ value: ValueID) -> (weights: Tensor, extents: [Int])? {
            guard let weights = graph[value].constant?.tensor else { return nil }
            let extents = Array(weights.extents.drop { $0 == 1 })
            return weights.extents.count >= 2 && extents.count == 2 ? (weights, extents) : nil
        }
        if let (weights, extents) = matrix(left), graph[right].type.tensor?.shape?.rank == 3 {
            self.init([right], .rows(weights), depth: extents[1], outputs: extents[0], node, graph)
        } else if let (weights, extents) = matrix(right), graph[left].type.tensor?.shape?.rank == 3 {
            self.init([left], .lines(weights), depth: extents[0], outputs: extents[1], node, graph)
        } else {
            return nil
        }
    }

    private init?(sum op: Einsum, _ node: Node, _ graph: Graph) {
        guard let labels = EinsumLabels(op, node, graph) else { return nil }
        self.init(
            [labels.columns], .labelled(labels), depth: labels.depth, outputs: labels.outputs, node, graph)
    }

    /// The topmost of sums whose terms are products of one tap each.
    private init?(taps id: NodeID, _ graph: Graph) {
        guard let terms = TapTerms(id, graph), let output = graph[id].outputs[0] else { return nil }
        if let reader = graph[output].consumers.first, TapTerms(reader, graph) != nil { return nil }
        let extents = terms.weights[0].extents
        self.init(
            terms.columns, .separate(terms.weights), depth: extents[1] * terms.columns.count,
            outputs: extents[0], bias: terms.bias, graph[id], graph)
    }
}

/// Convolutions 1 × 1 that are summed, from left to right.
private struct TapTerms {
    var columns: [ValueID] = []
    var weights: [Tensor] = []
    var bias: Tensor?

    init?(_ id: NodeID, _ graph: Graph) {
        guard graph[id].op is Add || graph[id].op is Sum else { return nil }
        var waiting = Array(graph[id].inputs.reversed())
        while let next = waiting.popLast() {
            guard let next, let producer = graph[next].producer, graph[next].consumers.count == 1,
                !graph.isOutput(next), columns.count < 256, waiting.count < 256
            else { return nil }
            let node = graph[producer]
            if node.op is Add || node.op is Sum {
                waiting += node.inputs.reversed()
            } else if !append(node, graph) {
                return nil
            }
        }
        guard columns.count > 1 else { return nil }
    }

    /// Whether a node is a term of such a sum.
    static func hold(_ node: Node, _ graph: Graph) -> Bool {
        guard let reader = node.outputs.first?.flatMap({ graph[$0].consumers.first }) else { return false }
        return TapTerms(reader, graph) != nil
    }

    private mutating func append(_ node: Node, _ graph: Graph) -> Bool {
        guard let op = node.op as? Conv, op.groups == 1, op.activation == .none, let data = node.inputs[0],
            let factor = node.inputs[1].flatMap({ graph[$0].constant?.tensor }), factor.extents.count == 4,
            factor.extents[2...] == [1, 1], weights.first.map({ $0.extents == factor.extents }) ?? true,
            let window = try? op.window.resolved(kernel: [1, 1]), window.strides == [1, 1],
            window.pads == [0, 0, 0, 0]
        else { return false }
        if node.inputs.count > 2, let given = node.inputs[2] {
            guard bias == nil, let constant = graph[given].constant?.tensor else { return false }
            bias = constant
        }
        columns.append(data)
        weights.append(factor)
        return true
    }
}
