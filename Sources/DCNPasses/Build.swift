internal import DCNGraph
internal import DCNOperators

/// Nodes put in the place of another: they take its origin, and the one that ends them its name.
struct Build {
    var graph: Graph
    let node: Node

    /// Builds in a graph and gives back what was built. The graph is moved, as a copy would cost its whole size.
    static func into<R>(
        _ graph: inout Graph, at node: Node, _ build: (inout Build) throws(DCNError) -> R
    ) throws(DCNError) -> R {
        var work = Build(graph: Graph(), node: node)
        swap(&work.graph, &graph)
        defer { swap(&work.graph, &graph) }
        return try build(&work)
    }

    /// A node's first output; `outputNames` marks the node that ends all.
    mutating func append(
        _ op: any Operator, _ inputs: [ValueID?], outputNames: [String?]? = nil
    ) throws(DCNError) -> ValueID {
        // Other runtimes refuse two nodes of one name, and a second rewrite may start from the same one.
        let name = outputNames != nil || node.name.isEmpty ? node.name : "\(node.name)/\(graph.valueCount)"
        return try graph.append(
            op, inputs, named: name, outputNames: outputNames ?? [nil], origin: node.origin)[0]
    }

    /// Integers as a constant of rank 1.
    mutating func integers(_ values: [Int]) -> ValueID {
        graph.addConstant(node.name + ".integers", .tensor(Tensor(vector: values.map { Int64($0) })))
    }

    /// A float32 constant.
    mutating func constant(_ tensor: Tensor) -> ValueID {
        graph.addConstant(node.name + ".constant", .tensor(tensor))
    }

    /// A tensor of other extents; 0 copies one.
    mutating func reshape(_ value: ValueID, _ extents: [Int]) throws(DCNError) -> ValueID {
        try append(Reshape(), [value, integers(extents)])
    }

    /// A tensor with its axes in another order.
    mutating func transpose(_ value: ValueID, _ axes: [Int]) throws(DCNError) -> ValueID {
        try append(Transpose(permutation: axes), [value])
    }

    /// A range along one axis.
    mutating func slice(_ value: ValueID, from start: Int, to end: Int, axis: Int) throws(DCNError) -> ValueID
    {
        try append(Slice(), [value, integers([start]), integers([end]), integers([axis])])
    }

    /// The entries along an axis that `order` names.
    mutating func gather(_ value: ValueID, _ order: [Int], axis: Int) throws(DCNError) -> ValueID {
        try append(Gather(axis: axis), [value, integers(order)])
    }
}
