package import DCNGraph
internal import DCNOperators

/// Applies an activation where the results are made.
///
///     relu(conv(…)) → conv(…) {activation: relu}          likewise clip, sigmoid, silu, …, and deformable convolutions
package struct FuseActivation: Pass {
    package static let name = "fuse-activation"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph.contains(id) {
            let node = graph[id]
            guard let function = activation(of: node.op, node, graph), let input = node.inputs[0],
                graph[input].type.tensor?.element == .float32, graph[input].consumers.count == 1,
                !graph.isOutput(input), let producer = graph[input].producer,
                let op = activated(graph[producer].op, by: function)
            else { continue }
            let label = graph.label(of: id)
            try fuse(op, graph[producer], producer, node, id, in: &graph)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    private func activated(_ op: any Operator, by function: Activation) -> (any Operator)? {
        guard var op = op as? any Activating, op.activation == .none else { return nil }
        op.activation = function
        return op
    }

    private func fuse(
        _ op: any Operator, _ old: Node, _ oldID: NodeID, _ node: Node, _ id: NodeID, in graph: inout Graph
    ) throws(DCNError) {
        let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
            try graph.append(
                op, old.inputs, named: old.name, outputNames: names(of: node, graph), origin: old.origin)
        }
        if let output = node.outputs[0] { graph.replace(output, with: result[0]) }
        graph.removeDead(from: id)
    }
}

/// Adds where the results are made.
///
///     add(conv(…), r) → conv(…, residual: r)          r of the same shape; likewise deformable convolutions
package struct FuseResidual: Pass {
    package static let name = "fuse-residual"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        // Where each value is written; what replaces a sum stands where the sum stood.
        var positions: [ValueID: Int] = [:]
        for (position, id) in graph.nodes.enumerated() where graph.contains(id) {
            let node = graph[id]
            for output in node.outputs { if let output { positions[output] = position } }
            guard node.op is Add else { continue }
            // The operand written last is fused: the other one is there already.
            let places = node.inputs.map { $0.flatMap { positions[$0] } ?? -1 }
            for side in [0, 1].sorted(by: { places[$0] > places[$1] }) where graph.contains(id) {
                guard let result = try fuse(id, node, side: side, in: &graph) else { continue }
                positions[result] = position
                log.append(Rewriting(rule: Self.name, node: node.name))
            }
        }
    }

    private func fuse(
        _ id: NodeID, _ node: Node, side: Int, in graph: inout Graph
    ) throws(DCNError) -> ValueID? {
        guard let sum = node.inputs[side], let other = node.inputs[1 - side], sum != other,
            let type = graph[sum].type.tensor, type.element == .float32, type.shape != nil,
            graph[other].type.tensor?.shape == type.shape, isKnownSame(type.shape),
            graph[sum].consumers.count == 1,
            !graph.isOutput(sum), let producer = graph[sum].producer,
            let op = graph[producer].op as? any Activating, op.activation == .none,
            let position = Swift.type(of: op).residualInput, graph[other].constant == nil
        else { return nil }
        var inputs = graph[producer].inputs
        guard inputs.count <= position else { return nil }
        while inputs.count < position { inputs.append(nil) }
        inputs.append(other)
        let old = graph[producer]
        let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
            try graph.append(
                op, inputs, named: old.name, outputNames: names(of: node, graph), origin: old.origin)
        }
        if let output = node.outputs[0] { graph.replace(output, with: result[0]) }
        graph.removeDead(from: id)
        return result[0]
    }

    /// Unknown extents may differ, and then the sum broadcasts.
    private func isKnownSame(_ shape: Shape?) -> Bool {
        shape?.dimensions.allSatisfy { $0 != .unknown } ?? false
    }
}
