package import DCN
package import DCNFiles

/// A box in pixels: left, top, right, bottom.
package struct Box: Sendable, Hashable {
    package var left: Double
    package var top: Double
    package var right: Double
    package var bottom: Double

    /// A box of its edges.
    package init(_ left: Double, _ top: Double, _ right: Double, _ bottom: Double) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
    }

    /// Width times height; zero for a box inside out.
    package var area: Double { max(0, right - left) * max(0, bottom - top) }

    /// What two boxes share over what they cover together; zero when that is nothing.
    package func overlap(_ other: Box) -> Double {
        let both = Box(
            max(left, other.left), max(top, other.top), min(right, other.right), min(bottom, other.bottom)
        ).area
        let union = area + other.area - both
        return union > 0 ? both / union : 0
    }
}

/// Something found in a picture.
package struct Detection: Sendable, Hashable {
    package var box: Box
    /// How sure the model is, 0 … 1.
    package var score: Double
    /// Which class it is.
    package var label: Int

    /// A detection of its parts.
    package init(box: Box, score: Double, label: Int) {
        self.box = box
        self.score = score
        self.label = label
    }
}

/// Which outputs of a detector are what.
package struct DetectorForm: Sendable {
    let boxes: String
    let scores: String
    let labels: String

    /// Finds `boxes` (…, n, 4), `scores` (…, n) and `labels` (…, n) among a model's outputs: by name, else labels are the
    /// integers, boxes what ends in 4. A `model` error where that tells nothing.
    package init(_ outputs: [(name: String, type: ValueType)], of path: String) throws(DCNError) {
        func find(_ name: String, _ fits: (TensorType) -> Bool) -> String? {
            if let exact = outputs.first(where: { $0.name.lowercased().contains(name) }) { return exact.name }
            return outputs.first { $0.type.tensor.map(fits) ?? false }?.name
        }
        let boxes = find("box") { $0.shape?.dimensions.last == .fixed(4) && $0.element.isFloat }
        let labels = find("label") { $0.element.isInteger } ?? find("class") { $0.element.isInteger }
        let scores = find("score") { $0.element.isFloat && $0.shape?.dimensions.last != .fixed(4) }
        guard let boxes, let scores, let labels else {
            let names = outputs.map { "'\(escaped($0.name))' \($0.type)" }.joined(separator: ", ")
            throw DCNError(
                .model, .run, "is no detector: expected outputs boxes, scores and labels, it has \(names)",
                at: Origin(file: path, path: ""))
        }
        (self.boxes, self.scores, self.labels) = (boxes, scores, labels)
    }

    /// The detections in a model's answer for one picture, in the model's order, in the picture's own pixels.
    package func detections(in answer: [String: Tensor], _ placement: Placement) throws(DCNError)
        -> [Detection]
    {
        guard let boxes = answer[boxes], let scores = answer[scores], let labels = answer[labels],
            boxes.count == 4 * scores.count, labels.count == scores.count,
            let classes = labels.integers ?? rounded(labels)
        else { throw DCNError(.model, .run, "boxes, scores and labels do not fit each other") }
        let (edges, sure) = (numbers(boxes), numbers(scores))
        return sure.indices.map { index in
            func x(_ edge: Int) -> Double {
                (edges[4 * index + edge] - placement.before.x) / placement.scale.x
            }
            func y(_ edge: Int) -> Double {
                (edges[4 * index + edge] - placement.before.y) / placement.scale.y
            }
            return Detection(box: Box(x(0), y(1), x(2), y(3)), score: sure[index], label: classes[index])
        }
    }
}

private func rounded(_ tensor: Tensor) -> [Int]? {
    let values = numbers(tensor)
    guard values.allSatisfy({ $0.isFinite && abs($0) < 1e9 }) else { return nil }
    return values.map { Int($0.rounded()) }
}

extension Detection {
    /// The same thing in a picture so many times as large.
    package func scaled(by factor: Double) -> Detection {
        var scaled = self
        scaled.box = Box(box.left * factor, box.top * factor, box.right * factor, box.bottom * factor)
        return scaled
    }

    /// The same thing in a picture whose corner lies elsewhere.
    package func moved(_ x: Double, _ y: Double) -> Detection {
        var moved = self
        moved.box = Box(box.left + x, box.top + y, box.right + x, box.bottom + y)
        return moved
    }

    /// The detection as an object.
    package var json: Json {
        .object([
            ("label", .int(label)), ("score", .number(score)),
            ("box", .array([box.left, box.top, box.right, box.bottom].map(Json.number))),
        ])
    }
}
