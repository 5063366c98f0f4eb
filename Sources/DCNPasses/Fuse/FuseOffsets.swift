package import DCNGraph
internal import DCNOperators

/// Lets a deformable convolution read offsets and mask where one convolution wrote them, and apply the sigmoid itself.
///
///     s = conv(…); deformConv(x, w, slice(s, 0…2KD), b, sigmoid(slice(s, 2KD…3KD))) → deformConv(x, w, s, b) {jointMask, maskSigmoid}
///
/// Slices may be written as Slice, as outputs of Split, or as Concat of neighbours.
package struct FuseOffsets: Pass {
    package static let name = "fuse-offsets"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        for id in graph.nodes where graph.contains(id) {
            let node = graph[id]
            guard var op = node.op as? DeformConv, !op.jointMask, !op.maskSigmoid, node.inputs.count > 4,
                let offset = node.inputs[2], let mask = node.inputs[4], let output = node.outputs[0],
                graph[offset].type.tensor?.element == .float32
            else { continue }
            let label = graph.label(of: id)
            let logits = graph.operand(of: mask, through: Sigmoid.self)
            op.maskSigmoid = logits != nil
            var inputs = node.inputs
            if let source = joint(offset, logits ?? mask, graph) {
                op.jointMask = true
                inputs[2] = source
                inputs[4] = nil
            } else if let logits {
                inputs[4] = logits
            } else {
                continue
            }
            while inputs.last == .some(nil) { inputs.removeLast() }
            let result = try graph.inserting(before: id) { (graph) throws(DCNError) in
                try graph.append(
                    op, inputs, named: node.name, outputNames: names(of: node, graph), origin: node.origin)
            }
            graph.replace(output, with: result[0])
            graph.removeDead(from: id)
            log.append(Rewriting(rule: Self.name, node: label))
        }
    }

    /// The value whose channels are the offset's, then the mask's, and nothing else.
    private func joint(_ offset: ValueID, _ mask: ValueID, _ graph: Graph) -> ValueID? {
        guard let first = ChannelSlice(offset, graph), let second = ChannelSlice(mask, graph),
            first.source == second.source, first.range.lowerBound == 0,
            first.range.upperBound == second.range.lowerBound, first.range.count == 2 * second.range.count,
            graph[first.source].type.tensor?.shape?[1].fixed == second.range.upperBound
        else { return nil }
        return first.source
    }
}

/// Neighbouring channels of a value.
struct ChannelSlice {
    let source: ValueID
    let range: Range<Int>

    /// What a value is a slice of; nil where it is none.
    init?(_ value: ValueID, _ graph: Graph) {
        guard let id = graph[value].producer else { return nil }
        let node = graph[id]
        switch node.op {
        case is Slice: self.init(slice: node, graph)
        case let op as Split: self.init(split: node, op, value, graph)
        case let op as Concat: self.init(concat: node, op, graph)
        default: return nil
        }
    }

    private init(source: ValueID, range: Range<Int>) {
        self.source = source
        self.range = range
    }

    private init?(slice node: Node, _ graph: Graph) {
        func integer(_ index: Int) -> Int? {
            guard index < node.inputs.count, let value = node.inputs[index],
                let integers = graph[value].constant?.tensor?.integers, integers.count == 1
            else { return nil }
            return integers[0]
        }
        let hasStep = node.inputs.count > 4 && node.inputs[4] != nil
        guard let data = node.inputs[0], let shape = graph[data].type.tensor?.shape, shape.rank >= 2,
            let channels = shape[1].fixed, let axis = integer(3), axis == 1 || axis == 1 - shape.rank,
            let start = integer(1), let end = integer(2), !hasStep || integer(4) == 1
        else { return nil }
        func place(_ position: Int) -> Int {
            min(max(position < 0 ? position &+ channels : position, 0), channels)
        }
        guard place(start) < place(end) else { return nil }
        self.init(source: data, range: place(start)..<place(end))
    }

    private init?(split node: Node, _ op: Split, _ value: ValueID, _ graph: Graph) {
        guard let data = node.inputs[0], let rank = graph[data].type.tensor?.shape?.rank,
            op.axis == 1 || op.axis == 1 - rank
        else { return nil }
        var start = 0
        for output in node.outputs {
            guard let output, let count = graph[output].type.tensor?.shape?[1].fixed else { return nil }
            if output == value {
                self.init(source: data, range: start..<start + count)
                return
            }
            start += count
        }
        return nil
    }

    private init?(concat node: Node, _ op: Concat, _ graph: Graph) {
        guard op.axis == 1 || op.axis == -3 else { return nil }
        let parts = node.inputs.compactMap { $0.flatMap { ChannelSlice($0, graph) } }
        guard parts.count == node.inputs.count, let first = parts.first, let last = parts.last,
            parts.allSatisfy({ $0.source == first.source }),
            zip(parts, parts.dropFirst()).allSatisfy({ $0.range.upperBound == $1.range.lowerBound })
        else { return nil }
        self.init(source: first.source, range: first.range.lowerBound..<last.range.upperBound)
    }
}

extension Graph {
    /// The operand of the node that writes a value, when that node is of a type.
    func operand<Op: Operator>(of value: ValueID, through type: Op.Type) -> ValueID? {
        guard let id = self[value].producer, self[id].op is Op else { return nil }
        return self[id].inputs[0]
    }
}
