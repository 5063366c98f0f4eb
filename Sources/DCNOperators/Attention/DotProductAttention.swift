package import DCNGraph

/// Attention of plain matrices, which gives its weights too.
///
///     weights = softmax(q · kᵀ + mask) over the keys          y = weights · v
///
/// Inputs: q [B, Q, E], k [B, K, E], v [B, K, D], mask? [Q, K] or [B, Q, K]. Gives y [B, Q, D], weights [B, Q, K].
/// A query with a score that is NaN or +∞, or with no score above −∞, gives NaN; so does 0 · ∞ of a weight and a
/// value.
package struct DotProductAttention: Operator {
    package static let name = "DotProductAttention"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let q = try inputs.required(0, "query", rank: 3)
        let k = try inputs.required(1, "key", rank: 3)
        let v = try inputs.required(2, "value", rank: 3)
        try q.expect([.float32, .float64, .float16, .bfloat16])
        for operand in [k, v] {
            try operand.expectSameElement(as: q)
            try operand.expect(q.dimension(0), along: 0, because: "the batch of query")
        }
        try k.expect(q.dimension(2), along: 2, because: "as query")
        try v.expect(k.dimension(1), along: 1, because: "one for each key")
        if let mask = try inputs.optional(3, "mask") {
            try mask.expectSameElement(as: q)
            if let rank = mask.rank {
                guard rank == 2 || rank == 3 else { throw .rank(of: "mask", expected: "2 or 3", got: rank) }
                if rank == 3 { try mask.expect(q.dimension(0), along: 0, because: "the batch of query") }
                try mask.expect(q.dimension(1), along: rank - 2, because: "one for each query")
                try mask.expect(k.dimension(1), along: rank - 1, because: "one for each key")
            }
        }
        let shapes = [
            Shape([q.dimension(0), q.dimension(1), v.dimension(2)]),
            Shape([q.dimension(0), q.dimension(1), k.dimension(1)]),
        ]
        return shapes.map { .tensor(TensorType(q.element, $0)) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (q, v) = (try call.extents(0), try call.extents(2))
        let maskRank = call.has(3) ? try call.extents(3).count : 0
        let rows = DotProductRows(
            batch: q[0], queries: q[1], keys: v[1], size: q[2], depth: v[2], maskRank: maskRank)
        switch try call.output(0).element {
        case .float32: return .kernel(rows.kernel(Float.self))
        case .float64: return .kernel(rows.kernel(Double.self))
        case let element: throw .unsupported("DotProductAttention on \(element)")
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        guard let q = inputs[0]?.tensor?.extents, let v = inputs[2]?.tensor?.extents, q.count == 3,
            v.count == 3
        else { return 0 }
        return q[0] &* q[1] &* v[1] &* (q[2] &+ v[2])
    }
}

/// One row of attention after the other, on concrete extents.
private struct DotProductRows {
    let batch, queries, keys, size, depth, maskRank: Int

    func kernel<T: BinaryFloatingPoint & Sendable>(_ type: T.Type) -> TileKernel {
        let tiling = Tiling(batch * queries, cost: max(1, keys * (size + depth)))
        let rows = self
        return TileKernel(tiles: tiling.tiles, scratch: keys * MemoryLayout<T>.stride) { tile, frame in
            for row in tiling[tile] { rows.run(row, frame, T.self) }
        }
    }

    private func run<T: BinaryFloatingPoint>(_ row: Int, _ frame: Frame, _ type: T.Type) {
        let weights = frame.scratch(as: T.self)
        let image = row / queries
        let q = frame.input(0, as: T.self) + row * size
        let k = frame.input(1, as: T.self) + image * keys * size
        let mask = frame.input(3, as: T.self) + (maskRank == 3 ? row : row % queries) * keys
        var greatest = -T.infinity
        for key in 0..<keys {
            var sum: T = 0
            for index in 0..<size { sum += q[index] * k[key * size + index] }
            weights[key] = maskRank > 0 ? sum + mask[key] : sum
            greatest = max(greatest, weights[key])
        }
        normalise(weights, greatest)
        if let wanted = frame.optionalOutput(1, as: T.self) {
            (wanted + row * keys).update(from: weights, count: keys)
        }
        guard let y = frame.optionalOutput(0, as: T.self) else { return }
        let v = frame.input(2, as: T.self) + image * keys * depth
        (y + row * depth).update(repeating: 0, count: depth)
        for key in 0..<keys {
            for index in 0..<depth { y[row * depth + index] += weights[key] * v[key * depth + index] }
        }
    }

    private func normalise<T: BinaryFloatingPoint>(_ weights: UnsafeMutablePointer<T>, _ greatest: T) {
        var sum: T = 0
        for key in 0..<keys {
            weights[key] = T(Elementary.exp(Double(weights[key] - greatest)))
            sum += weights[key]
        }
        for key in 0..<keys { weights[key] /= sum }
    }
}
