package import DCNGraph

/// Attention by a matrix for each head that every step changes: a decay, then the outer product of key and value.
///
///     S ← diag(e^g) S,   S ← S + k ⊗ u,   y = scale · Sᵀ q,   u = v, or β (v − Sᵀ k) where the rule corrects
///
/// Heads of queries share those of keys in equal runs.
/// Inputs: query [B, T, H·D], key [B, T, K·D], value [B, T, K·V], state [B, K, D, V]?, decay [B, T, K or K·D]?,
/// beta [B, T, K or 1]?. Outputs: y [B, T, H·V], the state after. What is not finite stays in the state of its head
/// (0 · ∞ is NaN), and later steps answer with it; so do products beyond the greatest number. Other heads and
/// sequences are not touched.
package struct LinearAttention: Operator {
    package static let name = "LinearAttention"
    /// How a step changes the state.
    package enum Rule: String, Sendable, Hashable, Codable {
        case linear, gated, delta
        case gatedDelta = "gated_delta"
        /// Whether the state decays.
        var decays: Bool { self == .gated || self == .gatedDelta }
        /// Whether the value is lessened by what the state gives for the key.
        var corrects: Bool { self == .delta || self == .gatedDelta }
    }
    /// How a step changes the state.
    package var rule: Rule
    /// Heads of queries.
    package var queryHeads: Int
    /// Heads of keys and values.
    package var keyHeads: Int
    /// A factor of the results; 0: 1/√D.
    package var scale: Float

    package init(queryHeads: Int, keyHeads: Int, rule: Rule = .gatedDelta, scale: Float = 0) {
        self.queryHeads = queryHeads
        self.keyHeads = keyHeads
        self.rule = rule
        self.scale = scale
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        for (name, heads) in [("q_num_heads", queryHeads), ("kv_num_heads", keyHeads)]
        where !(1...(1 << 20)).contains(heads) {
            throw .attribute(name, because: "is \(heads), expected 1 … \(1 << 20)")
        }
        guard queryHeads % keyHeads == 0 else {
            throw .attribute("q_num_heads", because: "is \(queryHeads), expected a multiple of \(keyHeads)")
        }
        let query = try inputs.required(0, "query", rank: 3)
        let key = try inputs.required(1, "key", rank: 3)
        let value = try inputs.required(2, "value", rank: 3)
        try query.expect([.float32, .float16, .bfloat16])
        for operand in [key, value] {
            try operand.expectSameElement(as: query)
            for axis in 0...1 { try operand.expect(query.dimension(axis), along: axis, because: "as query") }
        }
        let size = try share(query, queryHeads)
        let valueSize = try share(value, keyHeads)
        if let size {
            try key.expect(try product(keyHeads, size), along: 2, because: "heads of query's size")
        }
        let gates = try gateOperands(inputs, query, size)
        for gate in gates { try gate.expectSameElement(as: query) }
        let state = Shape([
            query.dimension(0), .fixed(keyHeads), size.map(Dimension.fixed) ?? .unknown,
            valueSize.map(Dimension.fixed) ?? .unknown,
        ])
        let element = try stateElement(inputs, state) ?? query.element
        let width = try valueSize.map { (size) throws(Misfit) in
            Dimension.fixed(try product(queryHeads, size))
        }
        let y = Shape([query.dimension(0), query.dimension(1), width ?? .unknown])
        let types = [TensorType(query.element, y), TensorType(element, state)]
        return types.prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    /// The size of one of so many heads, where the operand's is known.
    private func share(_ operand: Operand, _ heads: Int) throws(Misfit) -> Int? {
        guard let whole = operand.dimension(2).fixed else { return nil }
        guard whole % heads == 0 else {
            throw .extent(
                of: operand.name, axis: 2, expected: "a multiple of \(heads)", got: "\(whole)",
                because: "the heads lie side by side")
        }
        return whole / heads
    }

    /// Decay and beta, which are there exactly where the rule asks for them.
    private func gateOperands(_ inputs: Inputs, _ query: Operand, _ size: Int?) throws(Misfit) -> [Operand] {
        var gates: [Operand] = []
        for (index, name, isAsked) in [(4, "decay", rule.decays), (5, "beta", rule.corrects)] {
            guard isAsked == inputs.has(index) else {
                throw isAsked
                    ? .missing(name) : .value(of: name, because: "has no meaning under rule \(rule.rawValue)")
            }
            guard let gate = try inputs.optional(index, name, rank: 3) else { continue }
            for axis in 0...1 { try gate.expect(query.dimension(axis), along: axis, because: "as query") }
            if let width = gate.dimension(2).fixed, let size {
                let allowed = [keyHeads, index == 4 ? try product(keyHeads, size) : 1]
                guard allowed.contains(width) else {
                    throw .extent(
                        of: name, axis: 2, expected: "\(allowed[0]) or \(allowed[1])", got: "\(width)",
                        because: "kv_num_heads is \(keyHeads)")
                }
            }
            gates.append(gate)
        }
        return gates
    }

    private func stateElement(_ inputs: Inputs, _ state: Shape) throws(Misfit) -> ElementType? {
        guard let past = try inputs.optional(3, "past_state", rank: 4) else { return nil }
        try past.expect([.float32, .float16, .bfloat16])
        for axis in 0..<4 { try past.expect(state[axis], along: axis, because: "one matrix for each head") }
        return past.element
    }

    private func product(_ a: Int, _ b: Int) throws(Misfit) -> Int {
        guard let product = elementCount(of: [a, b]) else {
            throw .limit(of: "the size of all heads", asked: Int.max, limit: Int.max - 1)
        }
        return product
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        for index in 0..<call.inputs.count where call.has(index) {
            let element = try call.input(index).element
            guard element == .float32 else { throw noKernel(Self.name, for: element) }
        }
        let query = try call.extents(0)
        let size = query[2] / queryHeads
        let valueSize = try call.extents(2)[2] / keyHeads
        guard let cells = elementCount(of: [size, valueSize]), cells <= LinearAttentionKernel.mostCells else {
            throw .limit(
                of: "the state of a head", asked: elementCount(of: [size, valueSize]) ?? Int.max,
                limit: LinearAttentionKernel.mostCells)
        }
        return .kernel(
            LinearAttentionKernel(
                rule: rule, batch: query[0], steps: query[1], heads: queryHeads, keyHeads: keyHeads,
                size: size,
                valueSize: valueSize, scale: scale == 0 ? 1 / Float(size).squareRoot() : scale,
                decays: call.has(4) ? try call.extents(4)[2] : 0,
                betas: call.has(5) ? try call.extents(5)[2] : 0,
                hasPast: call.has(3)))
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("q_num_heads", .int(queryHeads)), ("kv_num_heads", .int(keyHeads)),
            ("update_rule", .string(ByteString(rule.rawValue))),
        ]
        if scale != 0 { attributes.append(("scale", .float(scale))) }
        return WrittenNode(Self.name, attributes, since: 27)
    }
}

extension LinearAttention {
    /// Reads ONNX's LinearAttention; the size of chunks says nothing about results.
    init(onnx node: SourceNode) throws(Misfit) {
        node.ignore("chunk_size")
        let heads = try node.int("q_num_heads")
        let keyHeads = try node.int("kv_num_heads")
        guard heads > 0, keyHeads > 0, heads % keyHeads == 0 else {
            throw .attribute(
                "q_num_heads", because: "is \(heads), expected a multiple of \(keyHeads) above 0")
        }
        let name = try node.string("update_rule", default: Rule.gatedDelta.rawValue)
        guard let rule = Rule(rawValue: name) else {
            throw .attribute(
                "update_rule",
                because: "is '\(escaped(name))', expected linear, gated, delta or gated_delta")
        }
        self.init(
            queryHeads: heads, keyHeads: keyHeads, rule: rule, scale: try node.float("scale", default: 0))
    }
}
