package import DCNGraph

/// Boxes of several images that are chosen by class and then limited by image (Caffe2's BoxWithNMSLimit).
///
/// Inputs: scores `[R, C]`, boxes `[R, D·K]` (D: 4, turned 5 with degrees; K: the classes, those without background, or 1), counts of rows `[N]`
/// of each image (absent: all of one); trailing axes of 1 are allowed. Of each class but the background boxes with a score above `leastScore` are taken
/// by descending score unless they overlap one taken before by more than `threshold` — or, softly, their scores fall as
/// `SoftSuppression` lets them. The `keeps` best of an image stay.
///
/// Outputs, by image, class and score: scores `[M]`, boxes `[M, D]`, classes `[M]` (floats), counts `[N]` (floats), rows within the image
/// `[M]` (int32), counts by class `[N, C]` (int32). Scores that are NaN are not above any. Where an overlap is NaN (a
/// box with NaN, two without area, two infinite ones) the later box is dropped, or softly keeps its score; turned,
/// such boxes overlap by 0.
package struct BoxLimit: Operator {
    package static let name = "BoxLimit"
    /// The score that is to be exceeded.
    package var leastScore: Float = 0.05
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.3
    /// How many come out of each image; 0 or less: all.
    package var keeps = 100
    /// How scores fall instead; nil: boxes are dropped.
    package var softness: SoftSuppression.Method?
    /// The width of the bell.
    package var sigma: Float = 0.5
    /// Softened boxes below are dropped.
    package var leastSoftScore: Float = 0.001
    /// Whether boxes have angles, in degrees.
    package var isRotated = false
    /// Whether all classes share one box of each row.
    package var sharesBoxes = false
    /// Whether the background is the first class, with boxes of its own; else it is the last, without.
    package var startsWithBackground = true
    /// Whether classes count from the background on.
    package var countsBackground = true
    /// 1 where edges are inclusive.
    package var plus = 1

    package init() {}

    private var columns: Int { isRotated ? 5 : 4 }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let scores = try inputs.required(0, "scores")
        let boxes = try inputs.required(1, "boxes")
        try scores.expect(ElementType.detections)
        try boxes.expectSameElement(as: scores)
        for operand in [scores, boxes] {
            guard let rank = operand.rank else { continue }
            guard rank == 2 || rank == 4 else { throw .rank(of: operand.name, expected: "2 or 4", got: rank) }
            for axis in 2..<rank { try operand.expect(1, along: axis, because: "one number") }
        }
        try boxes.expect(scores.dimension(0), along: 0, because: "as scores")
        if let classes = scores.dimension(1).fixed {
            let sets = sharesBoxes ? 1 : startsWithBackground ? classes : max(0, classes - 1)
            try boxes.expect(sets &* columns, along: 1, because: "\(columns) × the classes with boxes")
        }
        var images = Dimension.fixed(1)
        if let splits = try inputs.optional(2, "batch_splits", rank: 1) {
            try splits.expect(ElementType.detections + [.int32, .float64, .int64])
            images = splits.dimension(0)
        }
        let element = scores.element
        let types = [
            TensorType(element, [.unknown]), TensorType(element, [.unknown, .fixed(columns)]),
            TensorType(element, [.unknown]), TensorType(element, Shape([images])),
            TensorType(.int32, [.unknown]), TensorType(.int32, Shape([images, scores.dimension(1)])),
        ]
        return types.prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try op.run(values, scope).prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    private struct Hit { var score: Float; var label, row: Int }

    private func run(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Tensor?] {
        let (scores, boxes) = (try floats(values, 0, "scores"), try floats(values, 1, "boxes"))
        let classes = scores.extents[1]
        let counts = try counts(values, rows: scores.extents[0])
        var found: [[Hit]] = []
        var start = 0
        for count in counts {
            found.append(try hits(start..<(start + count), scores.values, boxes, classes, scope))
            start += count
        }
        start = 0
        var (rows, sizes): ([Float], [Int32]) = ([], [])
        for (hits, count) in zip(found, counts) {
            for hit in hits {
                rows += self.box(start + hit.row, hit.label, boxes)
            }
            sizes += (0..<classes).map { label in Int32(clamping: hits.count { $0.label == label }) }
            start += count
        }
        let all = found.flatMap { $0 }
        return [
            Tensor(vector: all.map(\.score)), Tensor(extents: [all.count, columns], rows),
            Tensor(vector: all.map { Float(countsBackground ? $0.label : $0.label - 1) }),
            Tensor(vector: found.map { Float($0.count) }),
            Tensor(vector: all.map { Int32(clamping: $0.row) }),
            Tensor(extents: [counts.count, classes], sizes),
        ]
    }

    /// Rows of each image.
    private func counts(_ values: [Datum?], rows: Int) throws(Misfit) -> [Int] {
        guard values.count > 2, let given = values[2]?.tensor else { return [rows] }
        let counts = given.integers ?? given.elements(as: Float.self).map { Int(saturating: Double($0)) }
        guard counts.allSatisfy({ (0...rows).contains($0) }), counts.reduce(0, +) == rows else {
            throw .value(of: "batch_splits", because: "does not sum up to \(rows)")
        }
        return counts
    }

    private func box(_ row: Int, _ label: Int, _ boxes: (extents: [Int], values: [Float])) -> ArraySlice<
        Float
    > {
        let set = sharesBoxes ? 0 : startsWithBackground ? label : label - 1
        return boxes.values[(row * boxes.extents[1] + set * columns)...].prefix(columns)
    }

    private func hits(
        _ rows: Range<Int>, _ scores: [Float], _ boxes: (extents: [Int], values: [Float]), _ classes: Int,
        _ scope: any Scope
    ) throws(Misfit) -> [Hit] {
        var hits: [Hit] = []
        for label in (0..<classes).dropFirst() {
            let column = startsWithBackground ? label : label - 1
            let list = rows.map { scores[$0 * classes + column] }
            let able = list.indices.filter { list[$0] > leastScore }
            let own = rows.map { box($0, label, boxes) }
            for (place, score) in try chosen(able, list, own, scope) {
                hits.append(Hit(score: score, label: label, row: place))
            }
        }
        guard keeps > 0, hits.count > keeps else { return hits }
        let best = descending(hits.indices) { hits[$0].score }.prefix(keeps).map { hits[$0] }
        return (1..<max(1, classes)).flatMap { label in best.filter { $0.label == label } }
    }

    /// Rows of one class and their scores, by descending score.
    private func chosen(
        _ able: [Int], _ scores: [Float], _ boxes: [ArraySlice<Float>], _ scope: any Scope
    ) throws(Misfit) -> [(row: Int, score: Float)] {
        let overlap = overlap(boxes)
        guard let softness else {
            let order = descending(able) { scores[$0] }
            let limit = keeps > 0 ? keeps : Int.max
            return try greedy(order, limit: limit, scope) { !(overlap($0, $1) <= threshold) }
                .map { ($0, scores[$0]) }
        }
        var (open, marks, taken) = (able, scores, [(row: Int, score: Float)]())
        while let best = open.max(by: { marks[$0] < marks[$1] || marks[$0] == marks[$1] && $0 > $1 }) {
            try scope.checkpoint()
            taken.append((best, marks[best]))
            open.removeAll { $0 == best }
            for row in open { marks[row] *= factor(overlap(best, row), softness) }
            open.removeAll { !(marks[$0] >= leastSoftScore) }
        }
        return taken
    }

    private func factor(_ share: Float, _ method: SoftSuppression.Method) -> Float {
        switch method {
        case .naive: share > threshold ? 0 : 1
        case .linear: share > threshold ? 1 - share : 1
        case .gaussian: share.isNaN ? 1 : exponential(-share * share / sigma)
        }
    }

    private func overlap(_ boxes: [ArraySlice<Float>]) -> (Int, Int) -> Float {
        guard !isRotated else {
            let turned = boxes.map { values in
                // Counter-clockwise degrees, in a picture whose rows run down.
                var box = RotatedBox(values)
                box.angle *= -Double.pi / 180
                return box
            }
            return { Float(turned[$0].overlap(turned[$1])) }
        }
        var edges = EdgeBoxes(plus: Float(plus))
        for box in boxes { edges.append(SIMD4(box)) }
        let all = edges
        return { all.overlap($0, all, $1) }
    }
}
