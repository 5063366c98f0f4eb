package import DCNGraph

/// Regions of interest from scores and displacements of given anchors (Caffe2's and OpenVINO's GenerateProposals, Detectron's of
/// one image).
///
/// The `before` best of each image, by score, are displaced and cut to the image; of those that are large enough each is taken unless
/// it overlaps one taken before by more than `threshold`, up to `after` of them.
///
/// Inputs: scores `[N, A, H, W]` (padded: `[A, H, W]`), displacements `[N, 4A, H, W]` (`[4A, H, W]`), images `[N, 3 or more]` of (height,
/// width, scale[, scale across]) (`[3]`), anchors `[A, 4]`, or one for each cell `[H·W·A, 4]`, cells first.
///
/// | form | outputs |
/// | --- | --- |
/// | listed | `[K, 5]` of (image, x1, y1, x2, y2), scores `[K]` |
/// | counted | `[K, 4]`, scores `[K]`, counts `[N]`, int64 |
/// | padded | `[after, 4]`, scores `[after]`, zeros where there are fewer; boxes that are too small take part with the score 0 |
///
/// Scores that are NaN come last; an edge that comes out NaN lies at 0.
package struct RegionProposals: Operator {
    package static let name = "RegionProposals"
    /// What comes out.
    package enum Form: String, Sendable, Hashable, Codable { case listed, counted, padded }
    /// What comes out.
    package var form: Form
    /// Cells of the image between those of the map, added to anchors of one cell.
    package var stride: Float = 0
    /// How many of the best are suppressed among; 0 or less: all.
    package var before = 6000
    /// How many come out of each image; 0 or less: all.
    package var after = 300
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.7
    /// The least width and height, times the image's scale.
    package var leastSize: Float = 16
    /// 1 where edges are inclusive.
    package var plus = 0

    package init(_ form: Form) { self.form = form }

    private var isPadded: Bool { form == .padded }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let rank = isPadded ? 3 : 4
        let scores = try inputs.required(0, "scores", rank: rank)
        let deltas = try inputs.required(1, "deltas", rank: rank)
        let images = try inputs.required(2, "im_info", rank: isPadded ? 1 : 2)
        let anchors = try inputs.required(3, "anchors", rank: 2)
        try scores.expect(ElementType.detections)
        for operand in [deltas, images, anchors] { try operand.expectSameElement(as: scores) }
        if anchors.dimension(1) == 5 { throw .unsupported("\(inputs.outputCount) outputs of turned anchors") }
        try anchors.expect(4, along: 1, because: "corners")
        let axis = rank - 3
        if let count = scores.dimension(axis).fixed {
            try deltas.expect(4 &* count, along: axis, because: "4 × anchors")
        }
        for axis in (isPadded ? [] : [0]) + [rank - 2, rank - 1] {
            try deltas.expect(scores.dimension(axis), along: axis, because: "as scores")
        }
        if !isPadded { try images.expect(scores.dimension(0), along: 0, because: "one row for each image") }
        for (name, value) in [("pre_nms_topN", before), ("post_nms_topN", after)] where value > 1 << 20 {
            throw .attribute(name, because: "is \(value), expected at most \(1 << 20)")
        }
        if isPadded, after < 1 {
            throw .attribute("post_nms_count", because: "is \(after), expected 1 or more")
        }
        let rows: Dimension = isPadded ? .fixed(after) : .unknown
        let types = [
            TensorType(scores.element, Shape([rows, form == .listed ? 5 : 4])),
            TensorType(scores.element, Shape([rows])), TensorType(.int64, Shape([scores.dimension(0)])),
        ]
        return types.prefix(max(1, min(form == .counted ? 3 : 2, inputs.outputCount))).map { .tensor($0) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try op.run(values, scope).prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    private struct Field {
        var extents: [Int]
        var scores, deltas, images, anchors: [Float]
        var count: Int { extents[1] * extents[2] * extents[3] }
    }

    private func run(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Tensor?] {
        let (scores, info) = (try floats(values, 0, "scores"), try floats(values, 2, "im_info"))
        let field = Field(
            extents: isPadded ? [1] + scores.extents : scores.extents, scores: scores.values,
            deltas: try floats(values, 1, "deltas").values, images: info.values,
            anchors: try floats(values, 3, "anchors").values)
        let rows = field.anchors.count / 4
        guard rows == field.extents[1] || rows == field.count else {
            throw .value(of: "anchors", because: "has \(rows) rows, expected \(field.extents[1])")
        }
        let width = info.extents.last ?? 0
        guard width >= 2 else {
            throw .value(of: "im_info", because: "has \(width) numbers, expected 3 or 4")
        }
        var (boxes, marks, counts): ([Float], [Float], [Int64]) = ([], [], [])
        for image in 0..<field.extents[0] {
            try scope.checkpoint()
            let found = try propose(image, field, Array(info.values[(image * width)...].prefix(width)), scope)
            for (box, score) in found {
                boxes += (form == .listed ? [Float(image)] : []) + (0..<4).map { box[$0] }
                marks.append(score)
            }
            counts.append(Int64(found.count))
        }
        if isPadded {
            boxes += [Float](repeating: 0, count: after * 4 - boxes.count)
            marks += [Float](repeating: 0, count: after - marks.count)
        }
        return [
            Tensor(extents: [marks.count, form == .listed ? 5 : 4], boxes), Tensor(vector: marks),
            Tensor(vector: counts),
        ]
    }

    private func propose(
        _ image: Int, _ field: Field, _ info: [Float], _ scope: any Scope
    ) throws(Misfit) -> [(box: SIMD4<Float>, score: Float)] {
        let (anchors, cells) = (field.extents[1], field.extents[2] * field.extents[3])
        let scale = isPadded || info.count < 3 ? SIMD2(1, 1) : SIMD2(info[info.count > 3 ? 3 : 2], info[2])
        let room = SIMD2(info[1], info[0])
        func box(_ place: Int) -> SIMD4<Float> {
            let (anchor, cell) = (place / cells, place % cells)
            let isWhole = field.anchors.count / 4 > anchors
            let shift = SIMD2(Float(cell % field.extents[3]), Float(cell / field.extents[3])) * stride
            let prior = four(field.anchors, isWhole ? cell * anchors + anchor : anchor)
            let start = (image * anchors + anchor) * 4 * cells + cell
            let delta = SIMD4((0..<4).map { field.deltas[start + $0 * cells] })
            return displaced(
                prior + SIMD4(lowHalf: shift, highHalf: shift), by: delta, plus: Float(plus),
                limit: greatestGrowth
            ).cut(room - Float(plus))
        }
        func isLarge(_ box: SIMD4<Float>) -> Bool {
            let size = box.highHalf - box.lowHalf + Float(plus)
            let isIn = box.lowHalf + size * 0.5
            return size[0] >= leastSize * scale[0] && size[1] >= leastSize * scale[1]
                && (form != .listed || isIn[0] < room[0] && isIn[1] < room[1])
        }
        let start = image * field.count
        // Cells first, as boxes of equal scores are taken.
        let all = (0..<field.count).map { form == .listed ? $0 : $0 % anchors * cells + $0 / anchors }
        let score = { (place: Int) -> Float in
            isPadded && !isLarge(box(place)) ? 0 : field.scores[start + place]
        }
        let scores = all.map(score)
        var order = descending(all.indices) { scores[$0] }
        if before > 0 { order = Array(order.prefix(before)) }
        var found = order.map { (box: box(all[$0]), score: scores[$0]) }
        if !isPadded { found = found.filter { isLarge($0.box) } }
        var edges = EdgeBoxes(plus: isPadded ? 0 : Float(plus))
        for entry in found { edges.append(entry.box) }
        let taken = try greedy(found.indices, limit: after > 0 ? after : .max, scope) { a, b in
            guard form == .listed else {
                return !edges.isApart(a, edges, b) && edges.overlap(a, edges, b) > threshold
            }
            // Boxes without area drop each other.
            return !(edges.overlap(a, edges, b) <= threshold)
        }
        return taken.map { found[$0] }
    }
}
