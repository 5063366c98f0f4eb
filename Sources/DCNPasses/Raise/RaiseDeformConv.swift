package import DCNGraph
internal import DCNOperators

/// Recognises a deformable convolution that an exporter wrote out as gathers or grid samples.
///
///     conv(rearrange(Σ corners(gather(pad(x), position + offset)) · mask), w) → deformConv(x, w, offset, bias, mask)
///
/// What flows where is read from the graph; where taps look is seen by sampling ramps with all offsets zero. Then the
/// original and the raised operator run on the same seeded data, and unless they agree the original stays.
package struct RaiseDeformConv: Pass {
    package static let name = "raise-deform-conv"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        guard graph.samplesByHand else { return }
        for id in graph.nodes where graph.contains(id) {
            guard let product = ColumnProduct(id, in: graph),
                let raised = DecomposedConv(product, in: graph)?.raised()
            else {
                continue
            }
            let label = graph.label(of: id)
            try raised.replace(in: &graph)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }
}

extension Graph {
    /// Whether anything here gathers at computed places.
    var samplesByHand: Bool {
        nodes.contains { id in
            switch self[id].op {
            case is GatherElements, is GatherND, is GridSample: true
            case is Gather:
                self[id].inputs.count > 1 && self[id].inputs[1].map { self[$0].constant == nil } ?? false
            default: false
            }
        }
    }

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

    /// Puts the operator there.
    func replace(in graph: inout Graph) throws(DCNError) {
        guard let old = graph[root].producer else { return }
        let result = try graph.inserting(before: old) { (graph) throws(DCNError) in
            var build = Build(graph: graph, node: node)
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
            let result = try build.append(op, inputs, outputNames: [graph[root].name])
            graph = build.graph
            return result
        }
        graph.replace(root, with: result)
        graph.removeDead(from: old)
    }
}
