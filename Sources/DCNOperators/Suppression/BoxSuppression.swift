package import DCNGraph

/// Indices of the boxes that do not overlap better ones, by descending score.
///
/// Inputs: boxes `[N, 4]` (x1, y1, x2, y2), scores `[N]`. Output: int64 `[K]`. `plus` is added to widths and heights.
/// A score that is NaN comes last, and a box with NaN overlaps nothing.
package struct BoxSuppression: Operator {
    package static let name = "BoxSuppression"
    /// The overlap above which a box is dropped.
    package var threshold: Float
    /// 1 where edges are inclusive, else 0.
    package var plus: Int

    package init(threshold: Float, plus: Int = 0) {
        self.threshold = threshold
        self.plus = plus
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try expectScoredBoxes(inputs, columns: 4)
        return [.tensor(TensorType(.int64, [.unknown]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let op = self
        return .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                let boxes = edgeBoxes(try floats(values, 0, "boxes").values, plus: Float(op.plus))
                let scores = try floats(values, 1, "scores").values
                let order = descending(scores.indices) { scores[$0] }
                return [
                    selection(suppress(order, boxes, threshold: op.threshold).map { Int64($0) }, columns: nil)
                ]
            })
    }
}

/// Boxes whose scores fall by what they overlap better ones, until they are below a least score.
///
///     factor: naive IoU ≥ threshold ? 0 : 1;  linear IoU ≥ threshold ? 1 − IoU : 1;  gaussian e^(−IoU² / sigma)
///
/// Inputs: boxes `[N, 4]`, scores `[N]`. Outputs: `[K, 5]` of boxes and lowered scores in the order they are taken; int64 `[K]`.
/// Scores that are NaN come last, and are below none; an overlap that is NaN lowers nothing.
package struct SoftSuppression: Operator {
    package static let name = "SoftSuppression"
    /// How scores fall.
    package enum Method: Int, Sendable, Hashable, Codable { case naive, linear, gaussian }
    /// How scores fall.
    package var method: Method
    /// The overlap from which scores fall.
    package var threshold: Float
    /// The width of the bell.
    package var sigma: Float
    /// Boxes below are dropped.
    package var leastScore: Float
    /// 1 where edges are inclusive, else 0.
    package var plus: Int

    package init(method: Method, threshold: Float, sigma: Float, leastScore: Float, plus: Int) {
        self.method = method
        self.threshold = threshold
        self.sigma = sigma
        self.leastScore = leastScore
        self.plus = plus
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try expectScoredBoxes(inputs, columns: 4)
        let element = try inputs.required(0, "boxes").element
        let all: [ValueType] = [
            .tensor(TensorType(element, [.unknown, 5])), .tensor(TensorType(.int64, [.unknown])),
        ]
        return Array(all.prefix(max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let (rows, indices) = try op.run(values, scope)
                guard let rows = Tensor(extents: [indices.count, 5], rows) else { throw .missing("boxes") }
                return Array([.tensor(rows), selection(indices, columns: nil)].prefix(outputs))
            })
    }

    private func run(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> (
        rows: [Float], indices: [Int64]
    ) {
        let corners = try floats(values, 0, "boxes").values
        let boxes = edgeBoxes(corners, plus: Float(plus))
        var scores = try floats(values, 1, "scores").values
        var order = Array(scores.indices)
        var (rows, indices): ([Float], [Int64]) = ([], [])
        var first = 0
        while first < order.count {
            if first % 64 == 0 { try scope.checkpoint() }
            var best = first
            for place in first..<order.count where isGreater(scores[order[place]], scores[order[best]]) {
                best = place
            }
            order.swapAt(first, best)
            let index = order[first]
            rows += Array(corners[(index * 4)..<(index * 4 + 4)]) + [scores[index]]
            indices.append(Int64(index))
            first += 1
            lower(&scores, &order, from: first, by: index, boxes)
        }
        return (rows, indices)
    }

    private func lower(
        _ scores: inout [Float], _ order: inout [Int], from first: Int, by index: Int, _ boxes: EdgeBoxes
    ) {
        var place = first
        while place < order.count {
            let other = order[place]
            scores[other] *= factor(boxes.overlap(index, boxes, other))
            if scores[other] < leastScore {
                order.swapAt(place, order.count - 1)
                order.removeLast()
            } else {
                place += 1
            }
        }
    }

    private func factor(_ overlap: Float) -> Float {
        switch method {
        case .naive: overlap >= threshold ? 0 : 1
        case .linear: overlap >= threshold ? 1 - overlap : 1
        case .gaussian: overlap.isNaN ? 1 : exponential(-(overlap * overlap) / sigma)
        }
    }
}

/// Pairs of a kept box and one it suppressed (mmdeploy's NMSMatch).
///
/// Inputs: boxes `[B, N, 4]`, scores `[B, C, N]`, overlap from which a box is dropped, score a kept box must exceed. Output: int64
/// `[K, 4]` of (batch, class, kept, suppressed). Scores that are NaN come last, and exceed nothing; boxes with NaN or
/// without a finite area overlap nothing.
package struct SuppressionMatch: Operator {
    package static let name = "SuppressionMatch"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try expectBatchedBoxes(inputs, columns: 4)
        for (index, name) in [(2, "iou_threshold"), (3, "score_threshold")] {
            try inputs.required(index, name).expect(ElementType.detections)
        }
        return [.tensor(TensorType(.int64, [.unknown, 4]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let (boxes, scores) = (try floats(values, 0, "boxes"), try floats(values, 1, "scores"))
                let (threshold, least) = (scalar(values, 2) ?? 0, scalar(values, 3) ?? 0)
                let (batches, count, classes) = (boxes.extents[0], boxes.extents[1], scores.extents[1])
                var result: [Int64] = []
                for batch in 0..<batches {
                    let edges = edgeBoxes(
                        Array(boxes.values[(batch * count * 4)..<((batch + 1) * count * 4)]), plus: 0)
                    for kind in 0..<classes {
                        try scope.checkpoint()
                        let start = (batch * classes + kind) * count
                        let list = Array(scores.values[start..<(start + count)])
                        for (kept, other) in Self.pairs(edges, list, threshold, least) {
                            result += [Int64(batch), Int64(kind), Int64(kept), Int64(other)]
                        }
                    }
                }
                return [selection(result, columns: 4)]
            })
    }

    private static func pairs(
        _ boxes: EdgeBoxes, _ scores: [Float], _ threshold: Float, _ least: Float
    ) -> [(Int, Int)] {
        let order = descending(scores.indices) { scores[$0] }
        var isGone = [Bool](repeating: false, count: order.count)
        var pairs: [(Int, Int)] = []
        for (place, index) in order.enumerated() where !isGone[place] {
            for later in order.indices.dropFirst(place + 1) where !isGone[later] {
                let common = boxes.intersection(index, boxes, order[later])
                let whole = boxes.area[index] + boxes.area[order[later]] - common + 1e-10
                guard common / whole >= threshold else { continue }
                isGone[later] = true
                if scores[index] > least { pairs.append((index, order[later])) }
            }
        }
        return pairs
    }
}

func expectScoredBoxes(_ inputs: Inputs, columns: Int) throws(Misfit) {
    let boxes = try inputs.required(0, "boxes", rank: 2)
    let scores = try inputs.required(1, "scores", rank: 1)
    try boxes.expect(ElementType.detections)
    try scores.expectSameElement(as: boxes)
    try boxes.expect(columns, along: 1, because: "the numbers of a box")
    try scores.expect(boxes.dimension(0), along: 0, because: "one for each box")
}

func expectBatchedBoxes(_ inputs: Inputs, columns: Int) throws(Misfit) {
    let boxes = try inputs.required(0, "boxes", rank: 3)
    let scores = try inputs.required(1, "scores", rank: 3)
    try boxes.expect(ElementType.detections)
    try scores.expectSameElement(as: boxes)
    try boxes.expect(columns, along: 2, because: "the numbers of a box")
    try scores.expect(boxes.dimension(0), along: 0, because: "as boxes")
    try scores.expect(boxes.dimension(1), along: 2, because: "as boxes")
}

func edgeBoxes(_ values: [Float], plus: Float) -> EdgeBoxes {
    var boxes = EdgeBoxes(plus: plus)
    for start in stride(from: 0, to: values.count - 3, by: 4) {
        boxes.append(values[start], values[start + 1], values[start + 2], values[start + 3])
    }
    return boxes
}
