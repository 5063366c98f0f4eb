package import DCNGraph

/// The best boxes of each class that do not overlap better ones, as a table of known extents (mmcv's TensorRT plugin).
///
/// Inputs: boxes `[B, S, 4]` by corners, or (cx, cy, w, h) where `isCentred`, scores `[B, C, S]`. Output: int32
/// `[B · C · most, 3]` of (batch, class, box), by batch, class and descending score, equal ones by box; −1 in the rows that are missing.
///
/// Boxes below the least score lie where the best of their class does, which drops them; the best itself stays.
/// Scores that are NaN come last, and are below none; boxes with NaN or without a finite area overlap nothing.
package struct TableSuppression: Operator {
    package static let name = "TableSuppression"
    /// Whether boxes are given by centre and size.
    package var isCentred: Bool
    /// The most boxes of a class; 0 or less: all there are.
    package var limit: Int
    /// The overlap above which a box is dropped.
    package var threshold: Float
    /// The score below which a box is dropped; 0 or less: none.
    package var leastScore: Float
    /// 1 where edges are inclusive, else 0.
    package var plus: Int

    package init(isCentred: Bool, limit: Int, threshold: Float, leastScore: Float, plus: Int) {
        self.isCentred = isCentred
        self.limit = limit
        self.threshold = threshold
        self.leastScore = leastScore
        self.plus = plus
    }

    /// How many boxes come out of a class of so many.
    package func most(of count: Int) -> Int { limit > 0 ? min(limit, count) : count }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try expectBatchedBoxes(inputs, columns: 4)
        let scores = try inputs.required(1, "scores", rank: 3)
        guard let batch = scores.dimension(0).fixed, let classes = scores.dimension(1).fixed,
            let count = scores.dimension(2).fixed
        else { return [.tensor(TensorType(.int32, [.unknown, 3]))] }
        return [.tensor(TensorType(.int32, [.fixed(batch &* classes &* most(of: count)), 3]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let op = self
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try expectRoom(for: op, values, 1, scope)
                return [try op.table(values, scope)]
            })
    }

    private func table(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> Datum? {
        let (boxes, scores) = (try floats(values, 0, "boxes"), try floats(values, 1, "scores"))
        let (batches, count, classes) = (boxes.extents[0], boxes.extents[1], scores.extents[1])
        var rows: [Int32] = []
        for set in 0..<batches * classes {
            try scope.checkpoint()
            let own = scores.values[(set * count)..<((set + 1) * count)]
            let order = descending(0..<count) { own[own.startIndex + $0] }
            var edges = EdgeBoxes(plus: Float(plus))
            for index in order {
                let isLow = leastScore > 0 && own[own.startIndex + index] < leastScore
                let row = set / classes * count + (isLow ? order[0] : index)
                let box = SIMD4(boxes.values[(row * 4)...].prefix(4))
                edges.append(isCentred ? cornered(box) : box)
            }
            for place in suppress(Array(order.indices), edges, threshold: threshold, limit: most(of: count)) {
                rows += [set / classes, set % classes, order[place]].map { Int32(clamping: $0) }
            }
        }
        let missing = batches * classes * most(of: count) - rows.count / 3
        rows += [Int32](repeating: -1, count: 3 * missing)
        return Tensor(extents: [rows.count / 3, 3], rows).map { .tensor($0) }
    }
}
