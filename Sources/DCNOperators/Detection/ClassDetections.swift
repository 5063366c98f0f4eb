package import DCNGraph

/// Detections from the scores and displacements of regions (OpenVINO's ExperimentalDetectronDetectionOutput).
///
/// Regions are displaced for each class and cut to the image; of each class but the first those with a score above `leastScore` are
/// taken by descending score, each unless it overlaps one taken before by more than `threshold` (edges inclusive), up to `best`;
/// of all classes the `keeps` best stay. Regions without area take no part.
///
/// Inputs: regions `[R, 4]`, displacements `[R, 4·C]`, scores `[R, C]`, image `[1, 3]` of (height, width, scale). Outputs: boxes
/// `[keeps, 4]`, int32 classes `[keeps]`, scores `[keeps]`; zeros where there are fewer. Scores that are NaN are not
/// above any; an edge that comes out NaN lies at 0.
package struct ClassDetections: Operator {
    package static let name = "ClassDetections"
    /// The score that is to be exceeded.
    package var leastScore: Float = 0.05
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.5
    /// The greatest power of e that boxes grow by.
    package var growth = greatestGrowth
    /// How many of a class are taken; negative: all.
    package var best = 2000
    /// How many come out.
    package var keeps = 100
    /// What displacements are divided by.
    package var weights: [Float] = [10, 10, 5, 5]

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let regions = try inputs.required(0, "rois", rank: 2)
        let deltas = try inputs.required(1, "deltas", rank: 2)
        let scores = try inputs.required(2, "scores", rank: 2)
        let image = try inputs.required(3, "im_info", rank: 2)
        try regions.expect(ElementType.detections)
        for operand in [deltas, scores, image] { try operand.expectSameElement(as: regions) }
        try regions.expect(4, along: 1, because: "corners")
        for operand in [deltas, scores] {
            try operand.expect(regions.dimension(0), along: 0, because: "one row for each region")
        }
        if let classes = scores.dimension(1).fixed {
            try deltas.expect(4 &* classes, along: 1, because: "4 × classes")
        }
        try image.expect(1, along: 0, because: "one image")
        try image.expect(3, along: 1, because: "height, width and scale")
        guard weights.count == 4 else {
            throw .attribute("deltas_weights", because: "has \(weights.count) numbers, expected 4")
        }
        guard (1...(1 << 20)).contains(keeps) else {
            throw .attribute("max_detections_per_image", because: "is \(keeps), expected 1 … \(1 << 20)")
        }
        let types = [
            TensorType(regions.element, [.fixed(keeps), 4]), TensorType(.int32, [.fixed(keeps)]),
            TensorType(regions.element, [.fixed(keeps)]),
        ]
        return types.prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try op.tables(op.hits(values, scope)).prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    private struct Hit { var score: Float; var label: Int; var box: SIMD4<Float> }

    private func hits(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Hit] {
        let (regions, deltas) = (try floats(values, 0, "rois").values, try floats(values, 1, "deltas").values)
        let (scores, image) = (try floats(values, 2, "scores"), try floats(values, 3, "im_info").values)
        let classes = scores.extents[1]
        let open = (0..<scores.extents[0]).filter { row in
            let box = four(regions, row)
            return box[2] > box[0] && box[3] > box[1]
        }
        var hits: [Hit] = []
        for label in (0..<classes).dropFirst() {
            try scope.checkpoint()
            let score = { (row: Int) in scores.values[row * classes + label] }
            let order = descending(open.filter { score($0) > leastScore }, by: score)
            let boxes = order.map { row in
                displaced(
                    four(regions, row), by: four(deltas, row * classes + label) / SIMD4(weights), plus: 1,
                    limit: growth
                ).cut(SIMD2(image[1], image[0]))
            }
            var edges = EdgeBoxes(plus: 1)
            for box in boxes { edges.append(box) }
            let limit = best < 0 ? Int.max : best
            for place in suppress(
                Array(order.indices), edges, threshold: threshold, limit: limit, ignoresApart: true)
            {
                hits.append(Hit(score: score(order[place]), label: label, box: boxes[place]))
            }
        }
        guard hits.count > keeps else { return hits }
        return descending(hits.indices) { hits[$0].score }.prefix(keeps).map { hits[$0] }
    }

    private func tables(_ hits: [Hit]) -> [Tensor?] {
        let rest = keeps - hits.count
        let boxes = hits.flatMap { hit in (0..<4).map { hit.box[$0] } }
        return [
            Tensor(extents: [keeps, 4], boxes + [Float](repeating: 0, count: rest * 4)),
            Tensor(vector: hits.map { Int32(clamping: $0.label) } + [Int32](repeating: 0, count: rest)),
            Tensor(vector: hits.map(\.score) + [Float](repeating: 0, count: rest)),
        ]
    }
}
