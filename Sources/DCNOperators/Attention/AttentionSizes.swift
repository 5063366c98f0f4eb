internal import DCNGraph

/// The extents of an attention, all known.
struct AttentionSizes: Sendable {
    var batch = 0
    /// Heads of queries.
    var heads = 0
    var keyHeads = 0
    var queries = 0
    /// Keys that come from earlier calls.
    var past = 0
    /// Keys of this call.
    var fresh = 0
    /// Numbers of a query and a key.
    var size = 0
    var valueSize = 0
    /// Whether heads lie inside rows.
    var isPacked = false

    /// All keys.
    var keys: Int { past + fresh }

    /// Reads the extents of the operands; nil where some are not known.
    init?(_ op: Attention, _ inputs: Inputs) throws(Misfit) {
        guard let q = try inputs.required(0, "Q").type.extents,
            let k = try inputs.required(1, "K").type.extents,
            let v = try inputs.required(2, "V").type.extents
        else { return nil }
        isPacked = q.count == 3
        guard q.count == k.count, q.count == v.count, q.count == 3 || q.count == 4 else { return nil }
        batch = q[0]
        if isPacked {
            guard let heads = op.queryHeads, let keyHeads = op.keyHeads, heads > 0, keyHeads > 0 else {
                throw .attribute("q_num_heads", because: "and kv_num_heads are needed for operands of rank 3")
            }
            (self.heads, self.keyHeads, queries, fresh) = (heads, keyHeads, q[1], k[1])
            (size, valueSize) = (q[2] / heads, v[2] / keyHeads)
            try expect(
                q[2] == heads * size && k[2] == keyHeads * size && v[2] == keyHeads * valueSize,
                "heads divide rows")
        } else {
            (heads, keyHeads, queries, fresh, size, valueSize) = (q[1], k[1], q[2], k[2], q[3], v[3])
            try expect(k[3] == size && v[1] == keyHeads, "K and V fit Q")
        }
        try expect(k[0] == batch && v[0] == batch && v[isPacked ? 1 : 2] == fresh, "K and V fit Q")
        try expect(keyHeads > 0 ? heads % keyHeads == 0 : heads == 0, "heads of keys divide those of queries")
        if inputs.has(4) {
            guard let pastExtents = try inputs.required(4, "past_key", rank: 4).type.extents else {
                return nil
            }
            past = pastExtents[2]
        }
    }

    private func expect(_ isTrue: Bool, _ law: String) throws(Misfit) {
        if !isTrue {
            throw .value(of: "the shapes of Q, K and V", because: "do not fit: expected that \(law)")
        }
    }

    /// Throws unless the other operands fit.
    func check(_ inputs: Inputs) throws(Misfit) {
        guard inputs.has(4) == inputs.has(5) else {
            throw .missing(inputs.has(4) ? "past_value" : "past_key")
        }
        for (index, name, width) in [(4, "past_key", size), (5, "past_value", valueSize)] {
            guard let operand = try inputs.optional(index, name, rank: 4) else { continue }
            try operand.expectSameElement(as: try inputs.required(index - 3, "K"))
            for (axis, extent) in [batch, keyHeads, past, width].enumerated() {
                try operand.expect(extent, along: axis, because: "as K and V")
            }
        }
        if let lengths = try inputs.optional(6, "nonpad_kv_seqlen", rank: 1) {
            try lengths.expect([.int64])
            try lengths.expect(batch, along: 0, because: "one for each sequence")
            guard !inputs.has(4) else { throw .unsupported("nonpad_kv_seqlen together with past keys") }
        }
        if let mask = try inputs.optional(3, "attn_mask") { _ = try AttentionMask(mask.type, self) }
    }
}

/// Where the number for a head, a query and a key lies in the mask.
struct AttentionMask: Sendable {
    let element: ElementType
    let steps: [Int]
    /// Keys that the mask speaks of; the others are masked.
    let keys: Int

    init(_ type: TensorType, _ sizes: AttentionSizes) throws(Misfit) {
        element = type.element
        guard let extents = type.extents else {
            (steps, keys) = ([0, 0, 0, 0], 0)
            return
        }
        guard extents.count <= 4, let last = extents.last else {
            throw .rank(of: "attn_mask", expected: "1 to 4", got: extents.count)
        }
        let missing = 4 - extents.count
        let whole = [sizes.batch, sizes.heads, sizes.queries, sizes.keys]
        let own = rowMajorStrides(extents)
        var steps = [0, 0, 0, 0]
        for axis in extents.indices where extents[axis] != 1 || axis == extents.count - 1 {
            let isLast = axis == extents.count - 1
            guard isLast ? last <= sizes.keys : extents[axis] == whole[axis + missing] else {
                throw .extent(
                    of: "attn_mask", axis: axis, expected: "1 or \(whole[axis + missing])",
                    got: "\(extents[axis])",
                    because: "it is broadcast to the scores")
            }
            steps[axis + missing] = own[axis]
        }
        self.steps = steps
        keys = last
    }
}
