internal import DCNGraph
internal import DCNOperators

/// A place in a graph where standard operators are put together that say the same as one node.
final class Sketch {
    private(set) var graph: Graph
    private let node: Node

    init(_ graph: Graph, for node: Node) {
        self.graph = graph
        self.node = node
    }

    /// A value of the graph as a term.
    func term(_ value: ValueID) -> Term { Term(value, self) }

    /// A node; its wanted results.
    func nodes(
        _ op: any Operator, _ inputs: [Term?], bodies: [Graph] = [], outputs: Int
    ) throws(DCNError) -> [Term] {
        // Other runtimes refuse two nodes of one name.
        let name = "\(node.name.isEmpty ? op.name : node.name)/\(graph.valueCount)"
        let outputNames = [String?](repeating: nil, count: outputs)
        return try graph.append(
            op, inputs.map { $0?.id }, bodies: bodies, named: name, outputNames: outputNames,
            origin: node.origin
        ).map(term)
    }

    /// A node of one result.
    func node(_ op: any Operator, _ inputs: Term?...) throws(DCNError) -> Term {
        try nodes(op, inputs, outputs: 1)[0]
    }

    /// A tensor that is known.
    func constant(_ tensor: Tensor) -> Term { term(graph.addConstant("constant", .tensor(tensor))) }

    /// Integers of rank 1.
    func integers(_ values: [Int]) -> Term { constant(Tensor(vector: values.map { Int64($0) })) }

    /// Floats, of rank 1 unless extents are given.
    func floats(_ values: [Float], _ extents: [Int]? = nil) -> Term {
        constant(Tensor(extents: extents ?? [values.count], values) ?? Tensor(vector: values))
    }

    /// A number of an element type, without axes.
    func scalar(_ value: Double, _ element: ElementType) throws(DCNError) -> Term {
        switch element {
        case .float32: constant(Tensor(scalar: Float(value)))
        case .float64: constant(Tensor(scalar: value))
        case .int64: constant(Tensor(scalar: Int64(value)))
        case .int32: constant(Tensor(scalar: Int32(value)))
        case .bool: constant(Tensor(scalar: value != 0))
        default: throw refusal("has no standard spelling on \(element)")
        }
    }

    /// 0 ..< count as int64, of rank 1.
    func range(_ count: Term) throws(DCNError) -> Term {
        try node(RangeOperator(), scalar(0, .int64), count, scalar(1, .int64))
    }

    /// Why the node stays as it is: `reason` follows the operator's name.
    func refusal(_ reason: String) -> DCNError {
        DCNError(Misfit.unsupported("\(node.op.name) \(reason)"), .write, at: node.origin)
    }
}

extension Sketch {
    /// Runs `body` at most `trips` times while what it gives first holds; it takes the trip's number and the carried
    /// values, and gives the condition, the carried values, and what is to be stacked.
    ///
    /// Gives the last carried values, then the stacks. Values of `captured` come to the body after the carried ones.
    func loop(
        trips: Term, carried: [Term], captured: [Term], stacked: Int = 0,
        _ body: (_ sketch: Sketch, _ trip: Term, _ values: [Term]) throws(DCNError) -> [Term]
    ) throws(DCNError) -> [Term] {
        var inner = Graph(name: "\(node.name)/body", limits: graph.limits)
        let trip = inner.addInput("trip", .tensor(TensorType(.int64, [])))
        inner.addInput("condition", .tensor(TensorType(.bool, [])))
        let values = (carried + captured).enumerated().map { index, term in
            inner.addInput("value\(index)", graph[term.id].type)
        }
        let sketch = Sketch(inner, for: node)
        let results = try body(sketch, sketch.term(trip), values.map(sketch.term))
        for (index, result) in results.enumerated() {
            // A body may not give what it takes: a node stands between.
            let given = try sketch.node(Identity(), result)
            sketch.graph.addOutput(given.id, named: "result\(index)")
        }
        return try nodes(
            Loop(carriedCount: carried.count), [trips, scalar(1, .bool)] + carried + captured,
            bodies: [sketch.graph], outputs: carried.count + stacked)
    }
}
