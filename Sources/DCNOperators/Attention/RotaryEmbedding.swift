package import DCNGraph

/// Turns pairs of numbers of each head by angles that follow from the position.
///
///     (a, b) → (cos · a − sin · b, sin · a + cos · b)
///
/// Inputs: X ([B, H, L, D] or [B, L, H·D]), cosines, sines ([positions, D′/2] with positions [B, L], else [B, L, D′/2]).
/// What is not finite touches its pair alone. Positions that do not exist are errors of the run.
package struct RotaryEmbedding: Operator {
    package static let name = "RotaryEmbedding"
    /// Whether a pair is of neighbours, not of one number of either half.
    package var isInterleaved = false
    /// How many numbers of a head are turned; 0: all.
    package var turned = 0
    /// How many heads there are, for operands of rank 3.
    package var heads = 0

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.float32, .float64, .float16, .bfloat16])
        let hasPositions = inputs.has(3)
        for index in 1...2 {
            let cache = try inputs.required(
                index, index == 1 ? "cos_cache" : "sin_cache", rank: hasPositions ? 2 : 3)
            try cache.expectSameElement(as: x)
        }
        if let extents = x.type.extents {
            let sizes = try RotarySizes(self, extents)
            try expect(inputs, sizes)
        }
        return [.tensor(TensorType(x.element, x.shape))]
    }

    private func expect(_ inputs: Inputs, _ sizes: RotarySizes) throws(Misfit) {
        if let positions = try inputs.optional(3, "position_ids", rank: 2) {
            try positions.expect([.int64])
            try positions.expect(sizes.batch, along: 0, because: "as X")
            try positions.expect(sizes.length, along: 1, because: "as X")
        }
        for index in 1...2 {
            let cache = try inputs.required(index, index == 1 ? "cos_cache" : "sin_cache")
            try cache.expect(sizes.turned / 2, along: inputs.has(3) ? 1 : 2, because: "one for each pair")
            guard !inputs.has(3) else { continue }
            try cache.expect(sizes.batch, along: 0, because: "as X")
            try cache.expect(sizes.length, along: 1, because: "as X")
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let sizes = try RotarySizes(self, call.extents(0))
        let positions = call.has(3) ? try call.extents(1)[0] : nil
        if let positions, try call.extents(2)[0] != positions {
            throw .value(of: "sin_cache", because: "is not as long as cos_cache")
        }
        switch try call.input(0).element {
        case .float32: return .kernel(kernel(Float.self, sizes, positions))
        case .float64: return .kernel(kernel(Double.self, sizes, positions))
        default: throw noKernel("RotaryEmbedding", for: try call.input(0).element)
        }
    }

    private func kernel<T: BinaryFloatingPoint & BitwiseCopyable & Sendable>(
        _ type: T.Type, _ sizes: RotarySizes, _ positions: Int?
    ) -> TileKernel {
        let tiling = Tiling(sizes.batch * sizes.length * sizes.heads, cost: sizes.size)
        return TileKernel(
            tiles: tiling.tiles,
            check: { frame in
                guard let positions, let ids = frame.optionalInput(3, as: Int64.self) else { return nil }
                for index in 0..<sizes.batch * sizes.length
                where ids[index] < 0 || ids[index] >= Int64(positions) {
                    return .value(
                        of: "position_ids", because: "holds \(ids[index]), expected 0 … \(positions - 1)")
                }
                return nil
            },
            { tile, frame in for unit in tiling[tile] { turn(unit, type, sizes, frame) } })
    }

    private func turn<T: BinaryFloatingPoint>(
        _ unit: Int, _ type: T.Type, _ sizes: RotarySizes, _ frame: Frame
    ) {
        let token =
            sizes.isPacked
            ? unit / sizes.heads : unit / sizes.length / sizes.heads * sizes.length + unit % sizes.length
        let row = frame.optionalInput(3, as: Int64.self).map { Int($0[token]) } ?? token
        let half = sizes.turned / 2
        let cosines = frame.input(1, as: T.self) + row * half
        let sines = frame.input(2, as: T.self) + row * half
        let x = frame.input(0, as: T.self) + unit * sizes.size
        let y = frame.output(0, as: T.self) + unit * sizes.size
        for pair in 0..<half {
            let (first, second) = isInterleaved ? (2 * pair, 2 * pair + 1) : (pair, pair + half)
            let (a, b) = (x[first], x[second])
            y[first] = cosines[pair] * a - sines[pair] * b
            y[second] = sines[pair] * a + cosines[pair] * b
        }
        for index in 2 * half..<max(2 * half, sizes.size) { y[index] = x[index] }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if isInterleaved { attributes.append(("interleaved", .int(1))) }
        if turned != 0 { attributes.append(("rotary_embedding_dim", .int(turned))) }
        if heads != 0 { attributes.append(("num_heads", .int(heads))) }
        return WrittenNode("RotaryEmbedding", attributes, since: 23)
    }
}

extension RotaryEmbedding {
    /// Reads ONNX's RotaryEmbedding.
    init(onnx node: SourceNode) throws(Misfit) {
        isInterleaved = try node.bool("interleaved", default: false)
        turned = try node.int("rotary_embedding_dim", default: 0)
        heads = try node.int("num_heads", default: 0)
    }
}

/// The extents of an operand whose heads are turned.
private struct RotarySizes: Sendable {
    let batch: Int
    let heads: Int
    let length: Int
    let size: Int
    let turned: Int
    let isPacked: Bool

    init(_ op: RotaryEmbedding, _ extents: [Int]) throws(Misfit) {
        guard extents.count == 3 || extents.count == 4 else {
            throw .rank(of: "X", expected: "3 or 4", got: extents.count)
        }
        isPacked = extents.count == 3
        batch = extents[0]
        if isPacked {
            guard op.heads > 0, extents[2] % op.heads == 0 else {
                throw .attribute("num_heads", because: "is \(op.heads), expected a divisor of \(extents[2])")
            }
            (heads, length, size) = (op.heads, extents[1], extents[2] / op.heads)
        } else {
            (heads, length, size) = (extents[1], extents[2], extents[3])
        }
        turned = op.turned == 0 ? size : op.turned
        guard turned >= 0, turned <= size, turned % 2 == 0 else {
            throw .attribute(
                "rotary_embedding_dim", because: "is \(turned), expected an even number up to \(size)")
        }
    }
}
