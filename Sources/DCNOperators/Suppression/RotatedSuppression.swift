package import DCNGraph

/// Suppression by turned boxes (mmdeploy's NMSRotated).
///
/// Inputs: boxes `[B, N, 5]` (cx, cy, w, h, radians), scores `[B, C, N]`. All boxes suppress; only those above the least score come
/// out. Output: int64 `[K, 3]` of (batch, class, box). Scores that are NaN come last, and are above none; boxes with
/// NaN or without a finite area overlap nothing.
package struct RotatedSuppression: Operator {
    package static let name = "RotatedSuppression"
    /// The overlap above which a box is dropped.
    package var threshold: Float
    /// The score a box must exceed to come out.
    package var leastScore: Float

    package init(threshold: Float, leastScore: Float) {
        self.threshold = threshold
        self.leastScore = leastScore
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try expectBatchedBoxes(inputs, columns: 5)
        return [.tensor(TensorType(.int64, [.unknown, 3]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let op = self
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let (boxes, scores) = (try floats(values, 0, "boxes"), try floats(values, 1, "scores"))
                let (batches, count, classes) = (boxes.extents[0], boxes.extents[1], scores.extents[1])
                var result: [Int64] = []
                for batch in 0..<batches {
                    let turned = (0..<count).map {
                        RotatedBox(boxes.values[((batch * count + $0) * 5)...].prefix(5))
                    }
                    for kind in 0..<classes {
                        let start = (batch * classes + kind) * count
                        let order = descending(0..<count) { scores.values[start + $0] }
                        for box in try suppressRotated(order, turned, threshold: op.threshold, scope)
                        where scores.values[start + box] > op.leastScore {
                            result += [Int64(batch), Int64(kind), Int64(box)]
                        }
                    }
                }
                return [selection(result, columns: 3)]
            })
    }
}

func suppressRotated(
    _ order: [Int], _ boxes: [RotatedBox], threshold: Float, _ scope: any Scope
) throws(Misfit) -> [Int] {
    try greedy(order, scope) { Float(boxes[$0].overlap(boxes[$1])) > threshold }
}
