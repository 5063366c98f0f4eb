package import DCNGraph

/// The best boxes of all classes in one ranking (TensorRT's EfficientNMS).
///
/// Scores of at least `leastScore` are ranked over boxes and classes, equal ones by box and class. The first 4096 are taken in turn,
/// each unless it overlaps one of its class that was taken before by `threshold` or more; boxes without area overlap by 0.
///
/// Inputs: boxes `[B, N, 4]` or `[B, N, C or 1, 4]`, scores `[B, N, C]`, and, where boxes are displacements, anchors `[B or 1, N, 4]`:
///
///     corners: anchor + box            centres: (x·wₐ + xₐ, y·hₐ + yₐ, wₐ·eʷ, hₐ·eʰ)
///
/// Outputs: int32 counts `[B, 1]`, boxes `[B, keeps, 4]` by their corners, scores `[B, keeps]`, int32 classes `[B, keeps]`; 0 where
/// there are fewer. With `givesIndices` the one output is int32 `[B · keeps, 3]` of (image, class, box), its last row repeated, or −1.
/// Scores that are NaN take no part; boxes with NaN or without a finite area overlap by 0.
package struct RankedSuppression: Operator {
    package static let name = "RankedSuppression"
    /// The overlap from which a box is dropped.
    package var threshold: Float = 0.5
    /// The least score that takes part, after the sigmoid where there is one.
    package var leastScore: Float = 0.5
    /// How many come out of each image.
    package var keeps = 100
    /// The class that is left out; negative: none.
    package var background = -1
    /// Whether scores are those before a sigmoid.
    package var hasLogits = false
    /// Whether boxes of other classes are dropped too.
    package var acrossClasses = false
    /// Whether boxes and anchors are centres and sizes.
    package var isCentred = false
    /// Whether places come out in the place of boxes.
    package var givesIndices = false

    package init() {}

    private static let most = 4096

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let boxes = try inputs.required(0, "boxes")
        let scores = try inputs.required(1, "scores")
        try boxes.expect(ElementType.detections)
        try scores.expectSameElement(as: boxes)
        for (operand, ranks) in [(boxes, 3...4), (scores, 3...4)] {
            if let rank = operand.rank, !ranks.contains(rank) {
                throw .rank(of: operand.name, expected: "3 or 4", got: rank)
            }
        }
        if scores.rank == 4 { try scores.expect(1, along: 3, because: "one score") }
        if let rank = boxes.rank { try boxes.expect(4, along: rank - 1, because: "the numbers of a box") }
        for axis in 0..<2 { try scores.expect(boxes.dimension(axis), along: axis, because: "as boxes") }
        if boxes.rank == 4, boxes.dimension(2) != 1 {
            try scores.expect(boxes.dimension(2), along: 2, because: "as boxes")
        }
        try checkAnchors(inputs, boxes)
        guard (0...(1 << 20)).contains(keeps) else {
            throw .attribute("max_output_boxes", because: "is \(keeps), expected 0 … \(1 << 20)")
        }
        return types(boxes.dimension(0), boxes.element).prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    private func checkAnchors(_ inputs: Inputs, _ boxes: Operand) throws(Misfit) {
        guard let anchors = try inputs.optional(2, "anchors", rank: 3) else { return }
        try anchors.expectSameElement(as: boxes)
        try anchors.expect(4, along: 2, because: "the numbers of a box")
        try anchors.expect(boxes.dimension(1), along: 1, because: "one for each box")
        if anchors.dimension(0) != 1 { try anchors.expect(boxes.dimension(0), along: 0, because: "as boxes") }
    }

    private func types(_ batch: Dimension, _ element: ElementType) -> [TensorType] {
        if givesIndices {
            let rows = batch.fixed.map { Dimension.fixed($0 &* keeps) } ?? .unknown
            return [TensorType(.int32, Shape([rows, 3]))]
        }
        let rows = Shape([batch, .fixed(keeps)])
        return [
            TensorType(.int32, Shape([batch, 1])), TensorType(element, Shape([batch, .fixed(keeps), 4])),
            TensorType(element, rows), TensorType(.int32, rows),
        ]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try expectRoom(for: op, values, outputs, scope)
                let found = try op.hits(values, scope)
                return (op.givesIndices ? [op.places(found)] : op.tables(found)).prefix(outputs)
                    .map { $0.map(Datum.tensor) }
            })
    }

    private struct Hit { var score: Float; var label, index: Int; var box: SIMD4<Float> }

    /// What is taken, image by image.
    private func hits(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [[Hit]] {
        let (boxes, scores) = (try floats(values, 0, "boxes"), try floats(values, 1, "scores"))
        let anchors = values.count > 2 && values[2] != nil ? try floats(values, 2, "anchors") : nil
        let (count, classes) = (scores.extents[1], scores.extents[2])
        let sets = boxes.extents.count == 4 ? boxes.extents[2] : 1
        var images: [[Hit]] = []
        for image in 0..<boxes.extents[0] {
            let start = image * count * classes
            let able = (0..<count * classes).filter {
                scores.values[start + $0] >= least && $0 % classes != background
            }
            let ranked = descending(able) { scores.values[start + $0] }.prefix(Self.most)
            let hits = ranked.map { place in
                let (index, label) = (place / classes, place % classes)
                let row = (image * count + index) * sets + (sets > 1 ? label : 0)
                let anchor = anchors.map { anchors in
                    let row = (anchors.extents[0] > 1 ? image * count : 0) + index
                    return SIMD4(anchors.values[(row * 4)...].prefix(4))
                }
                let box = corners(SIMD4(boxes.values[(row * 4)...].prefix(4)), anchor)
                return Hit(score: scores.values[start + place], label: label, index: index, box: box)
            }
            let taken = try greedy(hits.indices, limit: keeps, scope) { isNear(hits[$0], hits[$1]) }
            images.append(taken.map { hits[$0] })
        }
        return images
    }

    /// The least score as the scores come.
    package var least: Float {
        guard hasLogits else { return leastScore }
        return leastScore <= 0 ? -.infinity : Float(Elementary.log(Double(leastScore / (1 - leastScore))))
    }

    private func corners(_ box: SIMD4<Float>, _ anchor: SIMD4<Float>?) -> SIMD4<Float> {
        guard isCentred else { return anchor.map { upright(box) + upright($0) } ?? box }
        var (centre, size) = (box.lowHalf, box.highHalf)
        if let anchor {
            centre = centre * anchor.highHalf + anchor.lowHalf
            size = anchor.highHalf * SIMD2(exponential(size[0]), exponential(size[1]))
        }
        return SIMD4(lowHalf: centre - size * 0.5, highHalf: centre + size * 0.5)
    }

    private func isNear(_ a: Hit, _ b: Hit) -> Bool {
        guard acrossClasses || a.label == b.label else { return false }
        let (a, b) = (upright(a.box), upright(b.box))
        let common = area(
            SIMD4(
                lowHalf: pointwiseMax(a.lowHalf, b.lowHalf), highHalf: pointwiseMin(a.highHalf, b.highHalf)))
        let areas = (area(a), area(b))
        let share = common / (areas.0 + areas.1 - common)
        return (areas.0 > 0 && areas.1 > 0 && share > 0 ? share : 0) >= threshold
    }

    private func area(_ box: SIMD4<Float>) -> Float {
        let size = box.highHalf - box.lowHalf
        return size[0] > 0 && size[1] > 0 ? size[0] * size[1] : 0
    }

    private func tables(_ images: [[Hit]]) -> [Tensor?] {
        let rows = images.count * keeps
        var (boxes, scores) = ([Float](repeating: 0, count: rows * 4), [Float](repeating: 0, count: rows))
        var labels = [Int32](repeating: 0, count: rows)
        for (image, hits) in images.enumerated() {
            for (place, hit) in hits.enumerated() {
                let row = image * keeps + place
                for column in 0..<4 { boxes[row * 4 + column] = hit.box[column] }
                scores[row] = hasLogits ? 1 / (1 + exponential(-hit.score)) : hit.score
                labels[row] = Int32(clamping: hit.label)
            }
        }
        return [
            Tensor(extents: [images.count, 1], images.map { Int32(clamping: $0.count) }),
            Tensor(extents: [images.count, keeps, 4], boxes), Tensor(extents: [images.count, keeps], scores),
            Tensor(extents: [images.count, keeps], labels),
        ]
    }

    private func places(_ images: [[Hit]]) -> Tensor? {
        var rows: [[Int32]] = []
        for (image, hits) in images.enumerated() {
            rows += hits.map { [image, $0.label, $0.index].map { Int32(clamping: $0) } }
        }
        let last = rows.last ?? [-1, -1, -1]
        rows += Array(repeating: last, count: images.count * keeps - rows.count)
        return Tensor(extents: [rows.count, 3], rows.flatMap { $0 })
    }
}

/// eˣ, rounded once.
func exponential(_ x: Float) -> Float { Float(Elementary.exp(Double(x))) }
