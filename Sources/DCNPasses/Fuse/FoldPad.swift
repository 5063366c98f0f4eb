package import DCNGraph
internal import DCNOperators

/// Moves zeros written around an image into the padding of the convolution that reads it.
///
///     conv(pad(x, zeros)) → conv(x) {pads + pads}          likewise deformable convolutions that fade to zero
package struct FoldPad: Pass {
    package static let name = "fold-pad"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph.contains(id) {
            let node = graph[id]
            guard let input = node.inputs.first.flatMap({ $0 }), let padID = graph[input].producer,
                graph[padID].op is Pad, let pads = spatialZeros(graph[padID], graph),
                let op = padded(node.op, by: pads), let x = graph[padID].inputs[0],
                let output = node.outputs[0]
            else { continue }
            let label = graph.label(of: id)
            let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
                try graph.append(
                    op, [x] + node.inputs.dropFirst(), named: node.name, outputNames: names(of: node, graph),
                    origin: node.origin)
            }
            graph.replace(output, with: result[0])
            graph.removeDead(from: id)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    private func padded(_ op: any Operator, by pads: [Int]) -> (any Operator)? {
        switch op {
        case var op as Conv:
            guard op.packed == nil, let window = widened(op.window, by: pads) else { return nil }
            op.window = window
            return op
        case var op as DeformConv:
            guard op.packed == nil, op.border == .zero, let window = widened(op.window, by: pads) else {
                return nil
            }
            op.window = window
            return op
        default: return nil
        }
    }

    private func widened(_ window: Window, by pads: [Int]) -> Window? {
        guard window.autoPad == .explicit || window.autoPad == .valid,
            window.pads.isEmpty || window.pads.count == pads.count
        else { return nil }
        var window = window
        let own =
            window.autoPad == .valid || window.pads.isEmpty
            ? Array(repeating: 0, count: pads.count) : window.pads
        window.autoPad = .explicit
        window.pads = zip(own, pads).map { $0 + $1 }
        return window
    }

    /// Befores, then afters, of the spatial axes, when the node adds zeros there and nowhere else.
    private func spatialZeros(_ node: Node, _ graph: Graph) -> [Int]? {
        func constant(_ index: Int) -> Tensor? {
            index < node.inputs.count ? node.inputs[index].flatMap { graph[$0].constant?.tensor } : nil
        }
        func isGiven(_ index: Int) -> Bool { index < node.inputs.count && node.inputs[index] != nil }
        guard let op = node.op as? Pad, op.mode == .constant, let data = node.inputs[0],
            graph[data].type.tensor?.element == .float32, let rank = graph[data].type.tensor?.shape?.rank,
            rank >= 3,
            let pads = constant(1)?.integers, !isGiven(2) || constant(2)?.elements(as: Float.self) == [0]
        else { return nil }
        guard !isGiven(3) || constant(3) != nil else { return nil }
        let axes = constant(3)?.integers?.map { $0 < 0 ? $0 + rank : $0 } ?? Array(0..<rank)
        guard pads.count == 2 * axes.count, Set(axes).count == axes.count else { return nil }
        var before = [Int](repeating: 0, count: rank)
        var after = before
        for (place, axis) in axes.enumerated() where (0..<rank).contains(axis) {
            before[axis] = pads[place]
            after[axis] = pads[place + axes.count]
        }
        guard before[0] == 0, after[0] == 0, before[1] == 0, after[1] == 0,
            (before + after).allSatisfy({ $0 >= 0 && $0 < 1 << 20 })
        else { return nil }
        return Array(before[2...] + after[2...])
    }
}
