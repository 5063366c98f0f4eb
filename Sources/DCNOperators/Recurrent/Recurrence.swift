internal import DCNGraph

/// What all recurrent networks have in common: how they walk a sequence.
package struct Recurrence: Sendable, Hashable, Codable {
    /// Which way sequences are read.
    package enum Direction: String, Sendable, Hashable, Codable { case forward, reverse, bidirectional }
    /// Which way sequences are read.
    package var direction = Direction.forward
    /// The size of the state as the file says it, where it does.
    package var hiddenSize: Int?
    /// The functions of each direction, one after the other.
    package var functions: [CellFunction] = []
    /// The magnitude at which arguments of functions are cut; nil: none.
    package var clip: Float?
    /// Whether the batch is the first axis, not time.
    package var isBatchFirst = false

    /// The standard's networks.
    package init() {}

    /// How many directions there are.
    var directions: Int { direction == .bidirectional ? 2 : 1 }

    /// Reads what ONNX's recurrent operators share.
    init(onnx node: SourceNode, standard: [CellFunction.Kind]) throws(Misfit) {
        let name = try node.string("direction", default: "forward")
        guard let direction = Direction(rawValue: name) else {
            throw .attribute(
                "direction", because: "is '\(escaped(name))', expected forward, reverse or bidirectional")
        }
        self.direction = direction
        hiddenSize = try node.optionalInt("hidden_size")
        clip = try node.optionalFloat("clip")
        if node.version >= 14 { isBatchFirst = try node.bool("layout", default: false) }
        if node.version < 7 { node.ignore("output_sequence") }
        functions = try CellFunction.read(node, standard: standard, directions: directions)
    }

    /// The types of Y, the last state, and further states of the same shape.
    func outputTypes(for inputs: Inputs, gates: Int, states: Int, functions count: Int) throws(Misfit)
        -> [ValueType]
    {
        let x = try inputs.required(0, "X", rank: 3)
        let w = try inputs.required(1, "W", rank: 3)
        let r = try inputs.required(2, "R", rank: 3)
        try x.expect([.float32, .float64, .float16, .bfloat16])
        for operand in [w, r] {
            try operand.expectSameElement(as: x)
            try operand.expect(directions, along: 0, because: "directions")
        }
        guard functions.count == count * directions else {
            throw .attribute("activations", because: "has \(functions.count), expected \(count * directions)")
        }
        let hidden = r.dimension(2).fixed ?? hiddenSize
        if let hidden { try expectSizes(inputs, hidden, gates, w, r) }
        try w.expect(x.dimension(2), along: 2, because: "X's features")
        let size = hidden.map(Dimension.fixed) ?? .unknown
        let (time, batch) = isBatchFirst ? (x.dimension(1), x.dimension(0)) : (x.dimension(0), x.dimension(1))
        try expectStates(inputs, x, batch, size, states)
        let d = Dimension.fixed(directions)
        let y = Shape(isBatchFirst ? [batch, time, d, size] : [time, d, batch, size])
        let state = Shape(isBatchFirst ? [batch, d, size] : [d, batch, size])
        let all = [y] + Array(repeating: state, count: states)
        return all.prefix(max(1, inputs.outputCount)).map { .tensor(TensorType(x.element, $0)) }
    }

    private func expectSizes(
        _ inputs: Inputs, _ hidden: Int, _ gates: Int, _ w: Operand, _ r: Operand
    ) throws(Misfit) {
        guard (0...Window.largest).contains(hidden) else {
            throw .attribute("hidden_size", because: "is \(hidden)")
        }
        if let hiddenSize, hiddenSize != hidden {
            throw .attribute("hidden_size", because: "is \(hiddenSize), R says \(hidden)")
        }
        for operand in [w, r] { try operand.expect(gates * hidden, along: 1, because: "\(gates) gates") }
        try r.expect(hidden, along: 2, because: "hidden_size")
        guard let bias = try inputs.optional(3, "B", rank: 2) else { return }
        try bias.expect(directions, along: 0, because: "directions")
        try bias.expect(2 * gates * hidden, along: 1, because: "two for each gate")
    }

    private func expectStates(
        _ inputs: Inputs, _ x: Operand, _ batch: Dimension, _ size: Dimension, _ states: Int
    ) throws(Misfit) {
        try inputs.optional(3, "B")?.expectSameElement(as: x)
        if let lengths = try inputs.optional(4, "sequence_lens", rank: 1) {
            try lengths.expect([.int32])
            try lengths.expect(batch, along: 0, because: "one for each sequence")
        }
        for index in 0..<states {
            guard let state = try inputs.optional(5 + index, "initial state \(index)", rank: 3) else {
                continue
            }
            try state.expectSameElement(as: x)
            try state.expect(directions, along: isBatchFirst ? 1 : 0, because: "directions")
            try state.expect(batch, along: isBatchFirst ? 0 : 1, because: "one for each sequence")
            try state.expect(size, along: 2, because: "hidden_size")
        }
    }

    /// How all of this is written.
    func written(_ name: String, _ inputs: Inputs, _ extra: [(name: String, value: SourceAttribute)] = [])
        -> WrittenNode
    {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("direction", .string(ByteString(direction.rawValue)))
        ]
        if let size = hiddenSize ?? inputs.types[2]?.tensor?.shape?[2].fixed {
            attributes.append(("hidden_size", .int(size)))
        }
        if let clip { attributes.append(("clip", .float(clip))) }
        if isBatchFirst { attributes.append(("layout", .int(1))) }
        func spelled(_ kind: CellFunction.Kind) -> ByteString {
            ByteString(kind.rawValue.prefix(1).uppercased() + kind.rawValue.dropFirst())
        }
        attributes.append(("activations", .strings(functions.map { spelled($0.kind) })))
        let alphas = functions.filter(\.hasAlpha).map { Float($0.alpha) }
        let betas = functions.filter(\.hasBeta).map { Float($0.beta) }
        if !alphas.isEmpty { attributes.append(("activation_alpha", .floats(alphas))) }
        if !betas.isEmpty { attributes.append(("activation_beta", .floats(betas))) }
        return WrittenNode(name, attributes + extra, since: isBatchFirst ? 14 : 7)
    }
}
