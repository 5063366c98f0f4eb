package import DCNGraph

/// Detections from the maps of a YOLOv3 head (ncnn's Yolov3DetectionOutput).
///
/// Each anchor of a cell gives its best class with confidence σ(object)·σ(class), at least `leastScore`, and a box
///
///     centre ((j + σ(x)) / W, (i + σ(y)) / H)      size (eʷ·width / (s·W), eʰ·height / (s·H))
///
/// in shares of the image, s the scale of the map. By descending confidence each is taken unless it overlaps one taken before, of any class, by
/// more than `threshold`. Inputs: maps `[1, A·(5 + C), Hₗ, Wₗ]`, one or more. Output `[K, 6]` of (class + 1, confidence, x1, y1, x2, y2).
/// Classes that are NaN are no best, a confidence that is NaN is not enough, and boxes with NaN or without a finite
/// area overlap nothing.
package struct YoloDetection: Operator {
    package static let name = "YoloDetection"
    /// Classes without background.
    package var classes: Int
    /// Anchors of a cell.
    package var anchors: Int
    /// The least confidence.
    package var leastScore: Float
    /// The overlap above which a box is dropped.
    package var threshold: Float
    /// Widths and heights that maps choose from.
    package var sizes: [Float]
    /// Which of them each map's anchors have, map by map.
    package var choice: [Int]
    /// Cells of the image between those of each map.
    package var scales: [Float]

    package init(
        classes: Int, anchors: Int, leastScore: Float, threshold: Float, sizes: [Float], choice: [Int],
        scales: [Float]
    ) {
        self.classes = classes
        self.anchors = anchors
        self.leastScore = leastScore
        self.threshold = threshold
        self.sizes = sizes
        self.choice = choice
        self.scales = scales
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        for (name, value) in [("num_class", classes), ("num_box", anchors)]
        where !(1...(1 << 16)).contains(value) {
            throw .attribute(name, because: "is \(value), expected 1 … \(1 << 16)")
        }
        guard inputs.count > 0 else { throw .missing("map 0") }
        guard scales.count >= inputs.count else {
            throw .attribute(
                "anchors_scale", because: "has \(scales.count) entries, one for each map is expected")
        }
        guard choice.count >= inputs.count * anchors,
            choice.allSatisfy({ $0 >= 0 && $0 < sizes.count / 2 })
        else {
            throw .attribute("mask", because: "does not choose \(anchors) of \(sizes.count / 2) for each map")
        }
        let first = try inputs.required(0, "map 0", rank: 4)
        try first.expect(ElementType.detections)
        for index in 0..<inputs.count {
            let map = try inputs.required(index, "map \(index)", rank: 4)
            try map.expectSameElement(as: first)
            try map.expect(1, along: 0, because: "one image")
            try map.expect(anchors * (5 + classes), along: 1, because: "num_box × (5 + num_class)")
        }
        return [.tensor(TensorType(first.element, [.unknown, 6]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let op = self
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                var hits: [Hit] = []
                for index in values.indices {
                    hits += op.hits(try floats(values, index, "map \(index)"), index)
                }
                var edges = EdgeBoxes()
                for hit in hits { edges.append(hit.box) }
                let order = descending(hits.indices) { hits[$0].score }
                let taken = suppress(order, edges, threshold: op.threshold, ignoresApart: true).map {
                    hits[$0]
                }
                let rows = taken.flatMap { hit in
                    [Float(hit.label + 1), hit.score] + (0..<4).map { hit.box[$0] }
                }
                return [Tensor(extents: [taken.count, 6], rows).map(Datum.tensor)]
            })
    }

    private struct Hit { var score: Float; var label: Int; var box: SIMD4<Float> }

    private func hits(_ map: (extents: [Int], values: [Float]), _ index: Int) -> [Hit] {
        let (height, width) = (map.extents[2], map.extents[3])
        let extent = SIMD2(
            (scales[index] * Float(width)).rounded(.towardZero),
            (scales[index] * Float(height)).rounded(.towardZero))
        var hits: [Hit] = []
        for anchor in 0..<anchors {
            let own = choice[index * anchors + anchor]
            let size = SIMD2(sizes[2 * own], sizes[2 * own + 1]) / extent
            for cell in 0..<height * width {
                let value = { (channel: Int) in
                    map.values[(anchor * (5 + classes) + channel) * height * width + cell]
                }
                let label = greatestPlace(classes) { value(5 + $0) }
                let score = sigmoid(value(4)) * sigmoid(value(5 + label))
                guard score >= leastScore else { continue }
                let place = SIMD2(Float(cell % width), Float(cell / width))
                let centre =
                    (place + SIMD2(sigmoid(value(0)), sigmoid(value(1)))) / SIMD2(Float(width), Float(height))
                let half = SIMD2(exponential(value(2)), exponential(value(3))) * size * 0.5
                hits.append(
                    Hit(
                        score: score, label: label,
                        box: SIMD4(lowHalf: centre - half, highHalf: centre + half)))
            }
        }
        return hits
    }

    private func sigmoid(_ x: Float) -> Float { 1 / (1 + exponential(-x)) }
}
