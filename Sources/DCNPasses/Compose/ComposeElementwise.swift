internal import DCNGraph
internal import DCNOperators

extension ScaledSwish: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let beta = inputs[1] else { return nil }
        return [try x * (x * beta.reshape([])).applying(Sigmoid())]
    }
}

extension FakeQuantize: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard inputs.count == 5, let x = inputs[0], let low = inputs[1], let high = inputs[2],
            let first = inputs[3], let last = inputs[4]
        else { return nil }
        let steps = Double(levels - 1)
        let step = try ((x - low) / (high - low) * steps).applying(Round())
        let inside = try step / steps * (last - first) + first
        let upper = try (x .> low.atLeast(high)).choosing(last, inside)
        return [try (x .<= low.atMost(high)).choosing(first, upper)]
    }
}

extension L2Normalization: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let weights = inputs[1], let rank = x.type.shape?.rank else {
            throw sketch.refusal("needs a known rank")
        }
        let axes = acrossPlane ? Array(1..<rank) : [1]
        let length = try ((x * x).reduced(.sum, axes, keeps: true) + Double(epsilon)).applying(Sqrt())
        let factors = try weights.reshape([-1] + [Int](repeating: 1, count: rank - 2))
        return [try x / length * factors]
    }
}

extension AdaptiveAveragePool: Lowerable {
    /// Rows and columns are summed by products with matrices of equal shares.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0] else { return nil }
        let across = try x.product(shares(x.size(3), width, x).transpose([1, 0]))
        return [try shares(x.size(2), height, x).product(across)]
    }

    /// [count, extent]: entry i has equal parts of ⌊i·extent / count⌋ … ⌈(i + 1)·extent / count⌉.
    private func shares(_ extent: Term, _ count: Int, _ x: Term) throws(DCNError) -> Term {
        let sketch = x.sketch
        let number = sketch.integers(Array(0..<count))
        let starts = try (number * extent / Double(count)).unsqueezed(1)
        let ends = try (((number + 1) * extent + Double(count - 1)) / Double(count)).unsqueezed(1)
        let place = try sketch.range(extent)
        let isIn = try ((place .>= starts) .& (place .< ends)).cast(x.element)
        return try isIn / (ends - starts).cast(x.element)
    }
}

extension ProjectedAttention: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        let terms = inputs.compactMap { $0 }
        guard terms.count == 11, let size = terms[3].extent(0) else {
            throw sketch.refusal("needs a known number of features")
        }
        let depth = size / heads
        /// [B, heads, rows, depth]
        func projected(_ index: Int) throws(DCNError) -> Term {
            let (weight, bias) = (terms[3 + 2 * index], terms[4 + 2 * index])
            return try (terms[index].product(weight.transpose([1, 0])) + bias)
                .reshape([0, 0, heads, depth]).transpose([0, 2, 1, 3])
        }
        let queries = try projected(0) * (1 / Double(depth).squareRoot())
        let scores = try queries.product(projected(1).transpose([0, 1, 3, 2])).applying(Softmax(axis: -1))
        let joined = try scores.product(projected(2)).transpose([0, 2, 1, 3]).reshape([0, 0, size])
        return [try joined.product(terms[9].transpose([1, 0])) + terms[10]]
    }
}
