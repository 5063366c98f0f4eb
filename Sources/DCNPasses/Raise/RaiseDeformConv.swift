internal import DCNGraph
internal import DCNOperators

/// Recognises a deformable convolution that an exporter wrote out as gathers or grid samples.
///
///     conv(rearrange(Σ corners(gather(pad(x), position + offset)) · mask), w) → deformConv(x, w, offset, bias, mask)
///
/// What flows where is read from the graph; where taps look is seen by sampling ramps with all offsets zero. Then the
/// original and the raised operator run on the same seeded data, and unless they agree the original stays.
package struct RaiseDeformConv: Raising {
    package static let name = "raise-deform-conv"
    package init() {}

    func candidate(_ id: NodeID, in graph: Graph) -> Result<RaisedOperator, NotRaised>? {
        guard let product = ColumnProduct(id, in: graph), let found = DecomposedConv(product, in: graph)
        else {
            return nil
        }
        let result = found.raised()
        if case .failure = result, !found.isLikely { return nil }
        return result
    }
}

extension Graph {
    /// Known extents of a float32 tensor.
    func floatExtents(_ value: ValueID) -> [Int]? {
        guard let type = self[value].type.tensor, type.element == .float32 else { return nil }
        return type.extents
    }
}

/// An operator that can take the place of a value.
struct RaisedOperator {
    let op: any Operator
    let root: ValueID
    let node: Node
    /// Operands in order.
    let operands: [Operand]

    enum Operand {
        case value(ValueID)
        case constant(Tensor)
        /// The channels of a value in another order.
        case channels(ValueID, [Int])
        case none
    }

    /// Whether another one is the same operator on the same values.
    func isSame(as other: RaisedOperator) -> Bool {
        op.isEqual(to: other.op) && root == other.root && values == other.values
    }

    private var values: [ValueID?] {
        operands.map { operand in
            switch operand {
            case .value(let value), .channels(let value, _): value
            case .constant, .none: nil
            }
        }
    }

    /// The graph with the operator there; nil where its operands do not fit.
    func replaced(in graph: Graph) -> Graph? {
        var graph = graph
        return (try? replace(in: &graph)) == nil ? nil : graph
    }

    private func replace(in graph: inout Graph) throws(DCNError) {
        guard let old = graph[root].producer else { return }
        let result = try graph.inserting(before: old) { (graph) throws(DCNError) in
            try Build.into(&graph, at: node) { (build) throws(DCNError) in try append(in: &build) }
        }
        graph.replace(root, with: result)
        graph.removeDead(from: old)
    }

    private func append(in build: inout Build) throws(DCNError) -> ValueID {
        var inputs: [ValueID?] = []
        for operand in operands {
            switch operand {
            case .value(let value): inputs.append(value)
            case .constant(let tensor): inputs.append(build.constant(tensor))
            case .channels(let value, let order): inputs.append(try build.gather(value, order, axis: 1))
            case .none: inputs.append(nil)
            }
        }
        while inputs.last == .some(nil) { inputs.removeLast() }
        return try build.append(op, inputs, outputNames: [build.graph[root].name])
    }
}
