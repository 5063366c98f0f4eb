package import DCNGraph

/// Regions of interest from the scores and displacements of anchors (MXNet's Proposal).
///
/// Inputs: scores `[N, 2A, H, W]` (foreground in the second half), displacements `[N, 4A, H, W]`, image info `[N, 3]` (height, width, scale).
/// Anchors are ratios (outer) × scales (inner) about `stride · (x, y)`; edges are inclusive. Boxes are decoded, cut to the image; those
/// smaller than `leastSize · scale` grow by half of it on each side and score −1, as do positions beyond the image. The best `before`
/// are suppressed by overlap, and `after` come out, repeated from the first where there are fewer. Outputs: float32 `[N · after, 5]` of
/// (batch, x1, y1, x2, y2); where wanted `[N · after, 1]` of scores. Scores that are NaN come last; an edge that
/// comes out NaN lies at 0.
package struct Proposal: Operator {
    package static let name = "Proposal"
    /// Image cells per cell of the map, and the anchors' base size.
    package var stride = 16
    /// Anchor sizes, in strides.
    package var scales: [Float] = [4, 8, 16, 32]
    /// Anchor heights by widths.
    package var ratios: [Float] = [0.5, 1, 2]
    /// How many boxes are suppressed among; 0 or less: all.
    package var before = 6000
    /// How many come out of each image.
    package var after = 300
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.7
    /// The least size, in cells of the unscaled image.
    package var leastSize: Float = 16
    /// Whether displacements are added to the corners.
    package var addsToCorners = false
    /// Whether there may be more than one image.
    package var isBatched = false

    package init() {}

    private var anchorCount: Int { scales.count * ratios.count }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let scores = try inputs.required(0, "cls_prob", rank: 4)
        let deltas = try inputs.required(1, "bbox_pred", rank: 4)
        let info = try inputs.required(2, "im_info", rank: 2)
        for operand in [scores, deltas, info] { try operand.expect([.float32]) }
        guard (1...(1 << 16)).contains(stride) else {
            throw .attribute("feature_stride", because: "is \(stride), expected 1 … \(1 << 16)")
        }
        guard (1...(1 << 20)).contains(after) else {
            throw .attribute("rpn_post_nms_top_n", because: "is \(after), expected 1 … \(1 << 20)")
        }
        guard anchorCount > 0, ratios.allSatisfy({ $0 > 0 }), scales.allSatisfy({ $0 > 0 }) else {
            throw .attribute("ratios", because: "and scales have to be positive numbers")
        }
        try scores.expect(2 * anchorCount, along: 1, because: "2 × anchors")
        try deltas.expect(4 * anchorCount, along: 1, because: "4 × anchors")
        for axis in [0, 2, 3] {
            try deltas.expect(scores.dimension(axis), along: axis, because: "as cls_prob")
        }
        try info.expect(scores.dimension(0), along: 0, because: "one row for each image")
        try info.expect(3, along: 1, because: "height, width and scale")
        if !isBatched { try scores.expect(1, along: 0, because: "Proposal takes one image") }
        let rows = scores.dimension(0).fixed.map { Dimension.fixed($0 &* after) } ?? .unknown
        let all: [ValueType] = [
            .tensor(TensorType(.float32, Shape([rows, 5]))), .tensor(TensorType(.float32, Shape([rows, 1]))),
        ]
        return Array(all.prefix(max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try expectRoom(for: op, values, outputs, scope)
                let scores = try floats(values, 0, "cls_prob")
                let deltas = try floats(values, 1, "bbox_pred").values
                let info = try floats(values, 2, "im_info").values
                var (rows, marks): ([Float], [Float]) = ([], [])
                for image in 0..<scores.extents[0] {
                    try scope.checkpoint()
                    op.propose(image, scores, deltas, info, &rows, &marks)
                }
                let all = [
                    Tensor(extents: [marks.count, 5], rows), Tensor(extents: [marks.count, 1], marks),
                ]
                return all.prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    private func propose(
        _ image: Int, _ scores: (extents: [Int], values: [Float]), _ deltas: [Float], _ info: [Float],
        _ rows: inout [Float], _ marks: inout [Float]
    ) {
        let (height, width) = (scores.extents[2], scores.extents[3])
        let anchors = anchorBoxes
        let room = (height: info[image * 3], width: info[image * 3 + 1], scale: info[image * 3 + 2])
        var corners: [SIMD4<Float>] = []
        var list: [Float] = []
        for h in 0..<height {
            for w in 0..<width {
                for a in 0..<anchorCount {
                    let cell = h * width + w
                    let shift = SIMD4(Float(w), Float(h), Float(w), Float(h)) * Float(stride)
                    let place = { (channel: Int) in
                        (image * 4 * anchorCount + 4 * a + channel) * height * width + cell
                    }
                    let delta = SIMD4(deltas[place(0)], deltas[place(1)], deltas[place(2)], deltas[place(3)])
                    var box = clipped(decoded(anchors[a] + shift, delta), room.height, room.width)
                    var score = scores.values[
                        (image * 2 * anchorCount + anchorCount + a) * height * width + cell]
                    let isOutside =
                        h >= Int(saturating: Double(room.height) / Double(stride))
                        || w >= Int(saturating: Double(room.width) / Double(stride))
                    if isOutside { score = -1 }
                    let least = leastSize * room.scale
                    if box[2] - box[0] + 1 < least || box[3] - box[1] + 1 < least {
                        box += SIMD4(-least, -least, least, least) / 2
                        score = -1
                    }
                    corners.append(box)
                    list.append(score)
                }
            }
        }
        emit(image, corners, list, &rows, &marks)
    }

    private func emit(
        _ image: Int, _ corners: [SIMD4<Float>], _ list: [Float], _ rows: inout [Float],
        _ marks: inout [Float]
    ) {
        let sorted = descending(list.indices) { list[$0] }
        let order = before > 0 ? Array(sorted.prefix(before)) : sorted
        var boxes = EdgeBoxes(plus: 1)
        for index in order {
            boxes.append(corners[index][0], corners[index][1], corners[index][2], corners[index][3])
        }
        let kept = suppress(Array(order.indices), boxes, threshold: threshold, limit: after)
        for place in 0..<after {
            guard !kept.isEmpty else {
                rows += [Float(image), 0, 0, 0, 0]
                marks.append(0)
                continue
            }
            let index = order[kept[place % kept.count]]
            rows += [
                Float(image), corners[index][0], corners[index][1], corners[index][2], corners[index][3],
            ]
            marks.append(list[index])
        }
    }

    /// Anchors about the first cell, ratios outside, scales inside.
    package var anchorBoxes: [SIMD4<Float>] {
        let base = Float(stride)
        let centre = (base - 1) / 2
        var all: [SIMD4<Float>] = []
        for ratio in ratios {
            let area = (base * base / ratio).rounded(.down)
            let width = (area.squareRoot() + 0.5).rounded(.down)
            let height = (width * ratio + 0.5).rounded(.down)
            for scale in scales {
                let (w, h) = ((width * scale - 1) / 2, (height * scale - 1) / 2)
                all.append(SIMD4(centre - w, centre - h, centre + w, centre + h))
            }
        }
        return all
    }

    private func decoded(_ box: SIMD4<Float>, _ delta: SIMD4<Float>) -> SIMD4<Float> {
        guard !addsToCorners else { return box + delta }
        let (width, height) = (box[2] - box[0] + 1, box[3] - box[1] + 1)
        let x = box[0] + (width - 1) / 2 + delta[0] * width
        let y = box[1] + (height - 1) / 2 + delta[1] * height
        let w = (width * Float(Elementary.exp(Double(delta[2]))) - 1) / 2
        let h = (height * Float(Elementary.exp(Double(delta[3]))) - 1) / 2
        return SIMD4(x - w, y - h, x + w, y + h)
    }

    private func clipped(_ box: SIMD4<Float>, _ height: Float, _ width: Float) -> SIMD4<Float> {
        let limits = SIMD4(width - 1, height - 1, width - 1, height - 1)
        return SIMD4((0..<4).map { max(0, min(box[$0], limits[$0])) })
    }
}
