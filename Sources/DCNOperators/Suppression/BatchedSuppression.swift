package import DCNGraph

/// The best boxes of all classes, a fixed number of them (mmdeploy's TRTBatchedNMS, upright or turned; TensorRT's BatchedNMS).
///
/// Inputs: boxes `[B, N, C or 1, 4]` (turned: 5), scores `[B, N, C]`. Outputs: float32 `[B, keep, 5]` (6) of boxes and scores, int32
/// `[B, keep]` of labels, and, where wanted, int32 `[B, keep]` of box indices. Rows that are missing hold 0, −1 and −1.
///
/// Counted: int32 `[B, 1]` of how many boxes were found, then boxes `[B, keep, 4]`, scores `[B, keep]` and labels `[B, keep]`, floats.
/// Scores that are NaN are not above any, and boxes with NaN or without a finite area overlap nothing; NaN in one
/// that is kept comes out.
package struct BatchedSuppression: Operator {
    package static let name = "BatchedSuppression"
    /// Whether boxes have angles.
    package var isRotated: Bool
    /// The class that is left out; negative: none.
    package var background: Int
    /// The overlap above which a box is dropped.
    package var threshold: Float
    /// The score a box must exceed.
    package var leastScore: Float
    /// The best boxes of a class that take part; negative: all.
    package var best: Int
    /// How many boxes come out.
    package var keeps: Int
    /// Whether boxes are cut to 0 … 1.
    package var clips: Bool
    /// Whether outputs come apart, with counts.
    package var isCounted = false
    /// Added to widths and heights of what boxes share, and of boxes: 1 where edges are inclusive.
    package var plus = 0, areaPlus = 0

    package init(
        isRotated: Bool, background: Int, threshold: Float, leastScore: Float, best: Int, keeps: Int,
        clips: Bool
    ) {
        self.isRotated = isRotated
        self.background = background
        self.threshold = threshold
        self.leastScore = leastScore
        self.best = best
        self.keeps = keeps
        self.clips = clips
    }

    private var width: Int { isRotated ? 5 : 4 }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let boxes = try inputs.required(0, "boxes", rank: 4)
        let scores = try inputs.required(1, "scores", rank: 3)
        try boxes.expect(ElementType.detections)
        try scores.expectSameElement(as: boxes)
        try boxes.expect(width, along: 3, because: "the numbers of a box")
        for axis in 0..<2 { try scores.expect(boxes.dimension(axis), along: axis, because: "as boxes") }
        if boxes.dimension(2) != 1 { try scores.expect(boxes.dimension(2), along: 2, because: "as boxes") }
        guard (0...(1 << 20)).contains(keeps) else {
            throw .attribute("keep_topk", because: "is \(keeps), expected 0 … \(1 << 20)")
        }
        let (batch, element) = (boxes.dimension(0), boxes.element)
        let rows = Shape([batch, .fixed(keeps)])
        let table = Shape([batch, .fixed(keeps), .fixed(isCounted ? width : width + 1)])
        let types =
            isCounted
            ? [
                TensorType(.int32, Shape([batch, 1])), TensorType(element, table), TensorType(element, rows),
                TensorType(element, rows),
            ] : [TensorType(element, table), TensorType(.int32, rows), TensorType(.int32, rows)]
        return types.prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(ValueRoutine { (values, scope) throws(Misfit) in try op.run(values, scope, outputs) })
    }

    private func run(_ values: [Datum?], _ scope: any Scope, _ outputs: Int) throws(Misfit) -> [Datum?] {
        try expectRoom(for: self, values, outputs, scope)
        let (boxes, scores) = (try floats(values, 0, "boxes"), try floats(values, 1, "scores"))
        let batches = boxes.extents[0]
        var rows = [Float](repeating: 0, count: batches * keeps * (width + 1))
        var counts: [Int32] = []
        var labels = [Int32](repeating: -1, count: batches * keeps)
        var indices = labels
        for batch in 0..<batches {
            let found = try select(boxes, scores, batch, scope).prefix(keeps)
            counts.append(Int32(clamping: found.count))
            for (place, hit) in found.enumerated() {
                let row = batch * keeps + place
                for column in 0..<width {
                    let value = boxes.values[hit.place + column]
                    rows[row * (width + 1) + column] = clips ? min(max(value, 0), 1) : value
                }
                rows[row * (width + 1) + width] = hit.score
                (labels[row], indices[row]) = (Int32(clamping: hit.label), Int32(clamping: hit.index))
            }
        }
        let all: [Tensor?] =
            isCounted
            ? apart(rows, counts, labels)
            : [
                Tensor(extents: [batches, keeps, width + 1], rows),
                Tensor(extents: [batches, keeps], labels),
                Tensor(extents: [batches, keeps], indices),
            ]
        return all.prefix(outputs).map { $0.map(Datum.tensor) }
    }

    private func apart(_ rows: [Float], _ counts: [Int32], _ labels: [Int32]) -> [Tensor?] {
        let (batches, step) = (counts.count, width + 1)
        let corners = labels.indices.flatMap { rows[($0 * step)..<($0 * step + width)] }
        return [
            Tensor(extents: [batches, 1], counts), Tensor(extents: [batches, keeps, width], corners),
            Tensor(extents: [batches, keeps], labels.indices.map { rows[$0 * step + width] }),
            Tensor(extents: [batches, keeps], labels.map { Float($0) }),
        ]
    }

    private struct Hit { var score: Float; var label, index, place: Int }

    private func select(
        _ boxes: (extents: [Int], values: [Float]), _ scores: (extents: [Int], values: [Float]), _ batch: Int,
        _ scope: any Scope
    ) throws(Misfit) -> [Hit] {
        let (count, sets, classes) = (boxes.extents[1], boxes.extents[2], scores.extents[2])
        var hits: [Hit] = []
        for label in 0..<classes where label != background {
            try scope.checkpoint()
            let score = { (index: Int) in scores.values[(batch * count + index) * classes + label] }
            let place = { (index: Int) in ((batch * count + index) * sets + (sets == 1 ? 0 : label)) * width }
            var order = descending((0..<count).filter { score($0) > leastScore }, by: score)
            if best >= 0 { order = Array(order.prefix(best)) }
            for index in try free(order, boxes.values, place, scope) {
                hits.append(Hit(score: score(index), label: label, index: index, place: place(index)))
            }
        }
        return descending(hits.indices) { hits[$0].score }.map { hits[$0] }
    }

    private func free(
        _ order: [Int], _ values: [Float], _ place: (Int) -> Int, _ scope: any Scope
    ) throws(Misfit) -> [Int] {
        if isRotated {
            let turned = order.map { RotatedBox(values[place($0)...].prefix(5)) }
            return try suppressRotated(Array(order.indices), turned, threshold: threshold, scope).map {
                order[$0]
            }
        }
        var edges = EdgeBoxes(plus: Float(plus), areaPlus: Float(areaPlus))
        for index in order {
            let box = SIMD4(values[place(index)...].prefix(4))
            edges.append(isCounted ? upright(box) : box)
        }
        return suppress(Array(order.indices), edges, threshold: threshold, ignoresApart: isCounted).map {
            order[$0]
        }
    }
}

/// A box with its lesser corner first; an edge that is NaN stays where it is.
func upright(_ box: SIMD4<Float>) -> SIMD4<Float> {
    let (a, b) = (box.lowHalf, box.highHalf)
    let isTurned = b .< a
    return SIMD4(
        lowHalf: a.replacing(with: b, where: isTurned), highHalf: b.replacing(with: a, where: isTurned))
}

/// A box of centre and size by its corners.
func cornered(_ box: SIMD4<Float>) -> SIMD4<Float> {
    SIMD4(lowHalf: box.lowHalf - box.highHalf / 2, highHalf: box.lowHalf + box.highHalf / 2)
}

extension ElementType {
    /// Numbers of detections: computed in float32.
    static let detections: [ElementType] = [.float32, .float16, .bfloat16]
}

extension Call {
    /// Leaves narrower floats to be widened.
    func expectFloat32(_ index: Int) throws(Misfit) {
        guard case let element = try input(index).element, element != .float32 else { return }
        throw .unsupported("detections in \(element)")
    }
}
