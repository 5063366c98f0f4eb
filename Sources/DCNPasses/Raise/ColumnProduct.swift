internal import DCNGraph
internal import DCNOperators

/// A product of constant weights with columns of samples: the end of a deformable convolution that was written out.
///
///     conv(columns, w) {strides = kernel}       columns [N, C, OH·KH, OW·KW]
///     reshape(matMul(w, columns))               columns [N, C·T, OH·OW]
struct ColumnProduct {
    /// The samples.
    let columns: ValueID
    /// All weights, O × C/G × KH × KW, the kernel's extents apart.
    let weights: Tensor
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
        if node.op is Conv { self.init(convolution: node, graph) } else { self.init(product: node, graph) }
    }

    private init?(convolution node: Node, _ graph: Graph) {
        guard let op = node.op as? Conv, op.activation == .none, let columns = node.inputs[0],
            let output = node.outputs[0],
            let weights = node.inputs[1].flatMap({ graph[$0].constant?.tensor }), weights.extents.count == 4,
            let window = try? op.window.resolved(kernel: Array(weights.extents[2...])),
            window.strides == window.kernel,
            window.taps > 1, window.dilations == [1, 1], window.pads == [0, 0, 0, 0], node.inputs.count <= 3
        else { return nil }
        var bias: Tensor?
        var root = output
        if node.inputs.count > 2, let given = node.inputs[2] {
            guard let constant = graph[given].constant?.tensor else { return nil }
            bias = constant
        } else if let (sum, constant) = Self.addedBias(to: output, count: weights.extents[0], graph) {
            (root, bias) = (sum, constant)
        }
        self.init(columns, weights, bias, op.groups, window.kernel, root, node)
    }

    private init?(product node: Node, _ graph: Graph) {
        guard node.op.name == "MatMul", let columns = node.inputs[1], let output = node.outputs[0],
            let weights = node.inputs[0].flatMap({ graph[$0].constant?.tensor }),
            weights.extents.count == 2 || weights.extents.count == 3 && weights.extents[0] == 1,
            graph[columns].type.tensor?.shape?.rank == 3, graph[output].consumers.count == 1,
            !graph.isOutput(output),
            let reader = graph[output].consumers.first, graph[reader].op is Reshape,
            let result = graph[reader].outputs[0],
            let extents = graph[result].type.tensor?.extents, extents.count == 4,
            extents[1] == weights.extents[weights.extents.count - 2]
        else { return nil }
        let added = Self.addedBias(to: result, count: extents[1], graph)
        self.init(columns, weights, added?.bias, 1, nil, added?.sum ?? result, node)
    }

    private init(
        _ columns: ValueID, _ weights: Tensor, _ bias: Tensor?, _ groups: Int, _ kernel: [Int]?,
        _ root: ValueID, _ node: Node
    ) {
        self.columns = columns
        self.weights = weights
        self.bias = bias
        self.groups = groups
        self.kernel = kernel
        self.root = root
        self.node = node
    }

    /// The sum that adds one constant number to each channel of a value, where that is all that happens to it.
    private static func addedBias(to value: ValueID, count: Int, _ graph: Graph) -> (
        sum: ValueID, bias: Tensor
    )? {
        guard graph[value].consumers.count == 1, !graph.isOutput(value),
            let reader = graph[value].consumers.first,
            graph[reader].op is Add, let other = graph[reader].inputs.first(where: { $0 != value }) ?? nil,
            let constant = graph[other].constant?.tensor, let sum = graph[reader].outputs[0],
            Array(constant.extents.drop { $0 == 1 }) == (count == 1 ? [] : [count, 1, 1]),
            constant.count == count,
            constant.extents.count >= 3 || count == 1, let bias = constant.reshaped(to: [count])
        else { return nil }
        return (sum, bias)
    }
}
