package import DCNGraph

/// Detections from what a network says against prior boxes (SSD's DetectionOutput, in OpenVINO's, TensorRT's and ncnn's form).
///
/// Boxes are decoded; of each class but the background those with a score above `leastScore` are taken by descending score, the
/// first `best` of them, each unless it overlaps one taken before by more than `threshold`; of all classes the `keeps` best stay.
///
/// Inputs: displacements `[N, P·L·4]` (L: 1, or the classes where boxes are not shared), scores `[N, P·C]`, priors `[1 or N, 2, P·4]`
/// with variances in the second row (`[…, 1, …]` without), and, where a first stage refines priors, its scores `[N, P·2]` and
/// displacements as the first. Trailing axes of 1 are allowed. Of a prior of five numbers the first is skipped.
///
/// | form | rows, and how they are ordered | outputs |
/// | --- | --- | --- |
/// | grouped | (image, class, score, x1, y1, x2, y2), by image, class, score; then a row (−1, 0 …), then 0 | `[1, 1, N·keeps, 7]` |
/// | ranked | the same by image and score, missing ones (image, −1, 0 …); boxes are cut to 0 … 1 | `[N, 1, keeps, 7]`, int32 counts `[N, 1, 1, 1]` |
/// | listed | (class, score, x1, y1, x2, y2) by score, of one image | `[1, K, 6]` |
///
/// Scores that are NaN are not above any, and boxes with NaN or without a finite area overlap nothing; cut, an edge
/// that is NaN lies at 0.
package struct PriorDetection: Operator {
    package static let name = "PriorDetection"
    /// What comes out.
    package enum Form: String, Sendable, Hashable, Codable { case grouped, ranked, listed }
    /// What comes out.
    package var form: Form
    /// How boxes are said against priors.
    package var coding = BoxCoding.corner
    /// Whether the network's numbers hold the variances already.
    package var encodesVariances = false
    /// Variances where priors bring none.
    package var variances: [Float] = [1, 1, 1, 1]
    /// The extents that priors are divided by, width first; nil: they are shares of the image.
    package var extents: [Float]?
    /// The class that is left out; negative: none.
    package var background = 0
    /// Whether all classes share one box of each prior.
    package var sharesBoxes = true
    /// How many of a class are suppressed among; negative: all.
    package var best = -1
    /// How many come out of each image; negative: all.
    package var keeps = -1
    /// The score that is to be exceeded.
    package var leastScore: Float = 0
    /// The overlap above which a box is dropped.
    package var threshold: Float = 0.5
    /// Whether boxes are cut to 0 … 1 before and after they are chosen.
    package var clipsBefore = false, clipsAfter = false
    /// Whether each prior is of its best class alone, and classes count from after the background.
    package var takesBestClass = false
    /// The least score of the first stage's object for a prior to take part.
    package var leastObject: Float = 0
    /// Whether scores are those before a sigmoid.
    package var hasLogits = false
    /// 1 where edges are inclusive.
    package var plus = 0

    package init(_ form: Form) { self.form = form }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let operands = [
            try inputs.required(0, "box_logits"), try inputs.required(1, "class_preds"),
            try inputs.required(2, "proposals"),
        ]
        let more = [try inputs.optional(3, "aux_class_preds"), try inputs.optional(4, "aux_box_preds")]
        try operands[0].expect(ElementType.detections)
        for operand in operands + more.compactMap({ $0 }) {
            try operand.expectSameElement(as: operands[0])
            guard operand.rank ?? 2 >= 2 else {
                throw .rank(of: operand.name, expected: "2 or more", got: operand.rank ?? 0)
            }
        }
        guard (more[0] == nil) == (more[1] == nil) else { throw .missing("aux_box_preds") }
        guard variances.count == 4, extents?.count ?? 2 == 2, extents?.allSatisfy({ $0 > 0 }) ?? true else {
            throw .attribute("input_width", because: "and input_height have to be positive")
        }
        for (name, value) in [("keep_top_k", keeps), ("top_k", best)] where value > 1 << 20 {
            throw .attribute(name, because: "is \(value), expected at most \(1 << 20)")
        }
        let types = try types(operands)
        return types.prefix(max(1, inputs.outputCount)).map { .tensor($0) }
    }

    private func types(_ operands: [Operand]) throws(Misfit) -> [TensorType] {
        let (images, element) = (operands[0].dimension(0), operands[0].element)
        switch form {
        case .listed:
            try operands[0].expect(1, along: 0, because: "one image")
            return [TensorType(element, [1, .unknown, 6])]
        case .ranked:
            guard keeps >= 0 else {
                throw .attribute("keepTopK", because: "is \(keeps), expected 0 or more")
            }
            return [
                TensorType(element, Shape([images, 1, .fixed(keeps), 7])),
                TensorType(.int32, Shape([images, 1, 1, 1])),
            ]
        case .grouped:
            var rows = Dimension.unknown
            if let images = images.fixed, let size = try? layout(operands.map { $0.type.extents }) {
                rows = .fixed(images &* room(size))
            }
            return [TensorType(element, Shape([1, 1, rows, 7]))]
        }
    }

    /// Rows that one image has room for.
    func room(_ size: Layout) -> Int {
        keeps > 0 ? keeps : best > 0 ? best &* size.classes : size.priors &* size.classes
    }

    struct Layout {
        var priors, classes, sets, step: Int; var hasVariances: Bool; var priorImages: Int
    }

    /// Priors and classes as they follow from extents.
    private func layout(_ extents: [[Int]?]) throws(Misfit) -> Layout {
        guard let boxes = extents[0], let scores = extents[1], let priors = extents[2] else {
            throw .missing("the shapes of operands")
        }
        let (step, own) = (self.extents == nil ? 4 : 5, encodesVariances ? 1 : 2)
        // ncnn's priors have no image axis.
        let images = priors.count == 2 && priors[0] <= 2 ? 1 : priors[0]
        let row = images == 0 ? 0 : priors.product / images
        let rows = priors.count == 2 ? priors[0] : priors[1]
        let (count, hasVariances) = (rows == 0 ? 0 : row / rows, rows == 2)
        let images0 = boxes[0]
        guard count > 0, count % step == 0, rows == own || form == .listed && rows == 1, scores[0] == images0,
            images == 1 || images == images0
        else {
            throw .value(of: "proposals", because: "has shape \(priors), expected [1, \(own), P · \(step)]")
        }
        let number = count / step
        let (all, given) = (
            images0 == 0 ? 0 : scores.product / images0, images0 == 0 ? 0 : boxes.product / images0
        )
        let classes = all / number
        let sets = sharesBoxes ? 1 : classes
        guard all % number == 0, given == number * sets * 4 else {
            throw .value(
                of: "box_logits",
                because: "has shape \(boxes), expected \(number) priors of \(sets) boxes for scores \(scores)"
            )
        }
        return Layout(
            priors: number, classes: classes, sets: sets, step: step, hasVariances: hasVariances,
            priorImages: images)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try call.expectFloat32(0)
        let (op, outputs) = (self, call.outputs.count)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                try expectRoom(for: op, values, outputs, scope)
                return try op.run(values, scope).prefix(outputs).map { $0.map(Datum.tensor) }
            })
    }

    struct Hit { var score: Float; var label: Int; var box: SIMD4<Float> }

    private func run(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Tensor?] {
        let (boxes, scores) = (try floats(values, 0, "box_logits"), try floats(values, 1, "class_preds"))
        let priors = try floats(values, 2, "proposals")
        let size = try layout([boxes.extents, scores.extents, priors.extents])
        var first: (scores: [Float], boxes: [Float])?
        if values.count > 4, values[3] != nil {
            let (marks, moves) = (
                try floats(values, 3, "aux_class_preds"), try floats(values, 4, "aux_box_preds")
            )
            guard marks.values.count == boxes.extents[0] * size.priors * 2,
                moves.extents.product == boxes.values.count
            else { throw .value(of: "aux_class_preds", because: "does not fit class_preds") }
            first = (marks.values, moves.values)
        }
        var images: [[Hit]] = []
        for image in 0..<boxes.extents[0] {
            try scope.checkpoint()
            let decoded = decode(image, size, boxes.values, priors.values, first?.boxes)
            let marks = marks(image, size, scores.values, first?.scores)
            images.append(try chosen(decoded, marks, size, scope))
        }
        return tables(images, size)
    }

    /// The boxes of one image, set within prior.
    private func decode(
        _ image: Int, _ size: Layout, _ boxes: [Float], _ priors: [Float], _ first: [Float]?
    ) -> [SIMD4<Float>] {
        let row = size.priors * size.step
        let start = (size.priorImages > 1 ? image : 0) * row * (size.hasVariances ? 2 : 1)
        let own = SIMD4(variances)
        return (0..<size.priors * size.sets).map { place in
            let index = place / size.sets
            let at = start + index * size.step + size.step - 4
            var prior = SIMD4(priors[at..<(at + 4)])
            if let extents { prior /= SIMD4(extents[0], extents[1], extents[0], extents[1]) }
            let variance =
                encodesVariances || !size.hasVariances
                ? own : SIMD4(priors[(start + row + index * 4)...].prefix(4))
            let number = image * size.priors * size.sets + place
            if let first { prior = held(coding.box(four(first, number), prior, variance), clipsBefore) }
            return held(coding.box(four(boxes, number), prior, variance), clipsBefore)
        }
    }

    func held(_ box: SIMD4<Float>, _ isCut: Bool) -> SIMD4<Float> {
        isCut ? box.cut(SIMD2(repeating: 1)) : box
    }
}
