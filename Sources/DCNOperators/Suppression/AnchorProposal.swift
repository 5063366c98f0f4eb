package import DCNGraph

/// The best boxes of a grid of anchors, in OpenVINO's way (its Proposal of the framework "").
///
/// Inputs: class probabilities `[N, 2A, H, W]` with foreground in the second half, displacements `[N, 4A, H, W]`, image `[3]` or `[4]` of
/// (height, width, scale, scale across), or one row of that. Outputs: `[N · after, 5]` of (image, x1, y1, x2, y2), and, where wanted, scores
/// `[N · after]`. Edges are inclusive; boxes that are too small have the score 0; rows that are missing are 0, and the
/// first of them belongs to image −1. Scores that are NaN come last; an edge that is NaN is cut to 0, and where
/// nothing is cut its box is too small.
package struct AnchorProposal: Operator {
    package static let name = "AnchorProposal"
    /// The extent of the anchor of scale and ratio 1.
    package var baseSize = 16
    /// Cells of the image between anchors.
    package var stride = 16
    /// Heights over widths.
    package var ratios: [Float] = []
    /// Factors of the base size.
    package var scales: [Float] = []
    /// How many of the best are suppressed among.
    package var before = 6000
    /// How many come out of each image.
    package var after = 300
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.7
    /// The least size, in cells of the unscaled image.
    package var leastSize: Float = 16
    /// Whether boxes are cut to the image before and after they are chosen.
    package var clipsBefore = true, clipsAfter = false
    /// Whether boxes come out as shares of the image.
    package var normalises = false
    /// What displacements of corners and of sizes are divided by.
    package var coordinateScale: Float = 1, sizeScale: Float = 1

    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let scores = try inputs.required(0, "class_probs", rank: 4)
        let deltas = try inputs.required(1, "bbox_deltas", rank: 4)
        let image = try inputs.required(2, "image_shape")
        for operand in [scores, deltas, image] { try operand.expect([.float32]) }
        for (name, value) in [("feat_stride", stride), ("base_size", baseSize)]
        where !(1...(1 << 16)).contains(value) {
            throw .attribute(name, because: "is \(value), expected 1 … \(1 << 16)")
        }
        for (name, value) in [("post_nms_topn", after), ("pre_nms_topn", before)]
        where !(1...(1 << 20)).contains(value) {
            throw .attribute(name, because: "is \(value), expected 1 … \(1 << 20)")
        }
        guard !ratios.isEmpty, !scales.isEmpty, (ratios + scales).allSatisfy({ $0 > 0 }) else {
            throw .attribute("ratio", because: "and scale have to be positive numbers")
        }
        let count = ratios.count * scales.count
        try scores.expect(2 * count, along: 1, because: "2 × anchors")
        try deltas.expect(4 * count, along: 1, because: "4 × anchors")
        for axis in [0, 2, 3] {
            try deltas.expect(scores.dimension(axis), along: axis, because: "as class_probs")
        }
        try check(image)
        let rows = scores.dimension(0).fixed.map { Dimension.fixed($0 &* after) } ?? .unknown
        let all: [ValueType] = [
            .tensor(TensorType(.float32, Shape([rows, 5]))), .tensor(TensorType(.float32, Shape([rows]))),
        ]
        return Array(all.prefix(max(1, inputs.outputCount)))
    }

    private func check(_ image: Operand) throws(Misfit) {
        guard let rank = image.rank else { return }
        guard 1...2 ~= rank else { throw .rank(of: "image_shape", expected: "1 or 2", got: rank) }
        if rank == 2 { try image.expect(1, along: 0, because: "one image shape for all") }
        if let extent = image.dimension(rank - 1).fixed, extent != 3, extent != 4 {
            throw .extent(
                of: "image_shape", axis: rank - 1, expected: "3 or 4", got: "\(extent)",
                because: "height, width and scales")
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try expectRoom(for: op, values, outputs, scope)
                let scores = try floats(values, 0, "class_probs")
                let deltas = try floats(values, 1, "bbox_deltas").values
                let image = try floats(values, 2, "image_shape").values
                let count = scores.extents[0] * op.after
                var rows = [Float](repeating: 0, count: count * 5)
                var marks = [Float](repeating: 0, count: count)
                for number in 0..<scores.extents[0] {
                    try scope.checkpoint()
                    let found = op.propose(number, scores, deltas, image)
                    for (place, (box, score)) in found.enumerated() {
                        let row = number * op.after + place
                        let numbers = [Float(number)] + (0..<4).map { box[$0] }
                        rows.replaceSubrange((row * 5)..<(row * 5 + 5), with: numbers)
                        marks[row] = score
                    }
                    if found.count < op.after { rows[(number * op.after + found.count) * 5] = -1 }
                }
                let all = [Tensor(extents: [count, 5], rows), Tensor(vector: marks)]
                return all.prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    private func propose(
        _ number: Int, _ scores: (extents: [Int], values: [Float]), _ deltas: [Float], _ image: [Float]
    ) -> [(box: SIMD4<Float>, score: Float)] {
        let anchors = anchorBoxes
        let (height, width) = (scores.extents[2], scores.extents[3])
        let least = SIMD2(leastSize * image[image.count > 3 ? 3 : 2], leastSize * image[2])
        var (boxes, list): ([SIMD4<Float>], [Float]) = ([], [])
        for place in 0..<height * width * anchors.count {
            let (cell, anchor) = (place / anchors.count, place % anchors.count)
            let shift = SIMD2(Float(cell % width), Float(cell / width)) * Float(stride)
            let delta = SIMD4(
                (0..<4).map { deltas[((number * anchors.count + anchor) * 4 + $0) * height * width + cell] })
            let box = decoded(anchors[anchor] + SIMD4(lowHalf: shift, highHalf: shift), delta, image)
            let size = box.highHalf - box.lowHalf + 1
            let isLarge = size[0] >= least[0] && size[1] >= least[1]
            let channel = (2 * number + 1) * anchors.count + anchor
            boxes.append(box)
            list.append(isLarge ? scores.values[channel * height * width + cell] : 0)
        }
        let order = Array(descending(list.indices) { list[$0] }.prefix(before))
        var edges = EdgeBoxes(plus: 1)
        for index in order {
            edges.append(boxes[index][0], boxes[index][1], boxes[index][2], boxes[index][3])
        }
        return suppress(Array(order.indices), edges, threshold: threshold, limit: after, ignoresApart: true)
            .map { (finished(boxes[order[$0]], image), list[order[$0]]) }
    }

    private func decoded(_ box: SIMD4<Float>, _ delta: SIMD4<Float>, _ image: [Float]) -> SIMD4<Float> {
        let size = box.highHalf - box.lowHalf + 1
        let centre = box.lowHalf + size / 2 + delta.lowHalf / coordinateScale * size
        let growth = delta.highHalf / sizeScale
        let grown = SIMD2(
            Float(Elementary.exp(Double(growth[0]))), Float(Elementary.exp(Double(growth[1]))))
        let half = size * grown / 2
        let result = SIMD4(lowHalf: centre - half, highHalf: centre + half)
        return clipsBefore ? Self.clipped(result, SIMD2(image[1] - 1, image[0] - 1)) : result
    }

    private func finished(_ box: SIMD4<Float>, _ image: [Float]) -> SIMD4<Float> {
        let room = SIMD2(image[1], image[0])
        let held = clipsAfter ? Self.clipped(box, room) : box
        return normalises ? held / SIMD4(lowHalf: room, highHalf: room) : held
    }

    private static func clipped(_ box: SIMD4<Float>, _ limits: SIMD2<Float>) -> SIMD4<Float> {
        let all = SIMD4(lowHalf: limits, highHalf: limits)
        return SIMD4((0..<4).map { max(0, min(box[$0], all[$0])) })
    }

    /// Anchors about the first cell, ratios outside, scales inside; sizes are rounded half away from zero.
    package var anchorBoxes: [SIMD4<Float>] {
        let base = Float(baseSize)
        return ratios.flatMap { ratio in
            let width = (base * base / ratio).squareRoot().rounded(.toNearestOrAwayFromZero)
            let height = (width * ratio).rounded(.toNearestOrAwayFromZero)
            return scales.map { scale in
                let half = SIMD2(width * scale - 1, height * scale - 1) / 2
                let centre = SIMD2(repeating: (base - 1) / 2)
                return SIMD4(lowHalf: centre - half, highHalf: centre + half)
            }
        }
    }
}
