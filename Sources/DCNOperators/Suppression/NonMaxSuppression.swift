package import DCNGraph

/// The best boxes of each class that do not overlap better ones.
///
/// Inputs: boxes `[B, S, 4]`, scores `[B, C, S]` (float32); then, or left out, the greatest number of boxes of a class (int64; absent
/// or 0: none), the overlap above which a box is dropped (0), and the score a box must exceed. Boxes are two opposite corners
/// (y, x, y, x), or (cx, cy, w, h) where `isCentred`. Output: int64 `[K, 3]` of (batch, class, box), by batch, class and
/// descending score; equal scores by box. Boxes without area overlap nothing, nor
/// do boxes with NaN; scores that are NaN come last, and exceed no least score.
package struct NonMaxSuppression: Operator {
    package static let name = "NonMaxSuppression"
    /// Whether boxes are given by centre and size.
    package var isCentred: Bool

    package init(isCentred: Bool = false) { self.isCentred = isCentred }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let boxes = try inputs.required(0, "boxes", rank: 3)
        let scores = try inputs.required(1, "scores", rank: 3)
        try boxes.expect([.float32])
        try scores.expect([.float32])
        try boxes.expect(4, along: 2, because: "the numbers of a box")
        try scores.expect(boxes.dimension(0), along: 0, because: "as boxes")
        try scores.expect(boxes.dimension(1), along: 2, because: "as boxes")
        for (index, element) in [(2, ElementType.int64), (3, .float32), (4, .float32)] {
            try inputs.optional(index, "input \(index)")?.expect([element])
        }
        return [.tensor(TensorType(.int64, [.unknown, 3]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let op = self
        return .routine(ValueRoutine { (values, scope) throws(Misfit) in try op.run(values, scope) })
    }

    private func run(_ values: [Datum?], _ scope: any Scope) throws(Misfit) -> [Datum?] {
        let boxes = try floats(values, 0, "boxes")
        let scores = try floats(values, 1, "scores")
        let (batches, count) = (boxes.extents[0], boxes.extents[1])
        let classes = scores.extents[1]
        let limit = values.count > 2 ? values[2]?.tensor?.integers?.first ?? 0 : 0
        let threshold = scalar(values, 3) ?? 0
        let least = scalar(values, 4)
        var result: [Int64] = []
        guard limit > 0 else { return [selection(result, columns: 3)] }
        for batch in 0..<batches {
            let edges = edges(boxes.values, batch * count, count)
            for kind in 0..<classes {
                try scope.checkpoint()
                let start = (batch * classes + kind) * count
                let able = (0..<count).filter { least == nil || scores.values[start + $0] > least ?? 0 }
                let order = descending(able) { scores.values[start + $0] }
                for box in suppress(order, edges, threshold: threshold, limit: limit, ignoresEmpty: true) {
                    result += [Int64(batch), Int64(kind), Int64(box)]
                }
            }
        }
        return [selection(result, columns: 3)]
    }

    private func edges(_ values: [Float], _ first: Int, _ count: Int) -> EdgeBoxes {
        var edges = EdgeBoxes()
        for box in first..<(first + count) {
            let (a, b, c, d) = (
                values[box * 4], values[box * 4 + 1], values[box * 4 + 2], values[box * 4 + 3]
            )
            if isCentred {
                edges.append(a - c / 2, b - d / 2, a + c / 2, b + d / 2)
            } else {
                edges.append(min(b, d), min(a, c), max(b, d), max(a, c))
            }
        }
        return edges
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("NonMaxSuppression", isCentred ? [("center_point_box", .int(1))] : [], since: 10)
    }
}

/// A float32 input of a routine.
func floats(_ values: [Datum?], _ index: Int, _ name: String) throws(Misfit) -> (
    extents: [Int], values: [Float]
) {
    guard index < values.count, let tensor = values[index]?.tensor else { throw .missing(name) }
    guard tensor.type.element == .float32 else {
        throw .element(of: name, expected: "float32", got: tensor.type.element)
    }
    return (tensor.extents, tensor.elements(as: Float.self))
}

/// Throws where what an operator gives for these values is larger than what may be allocated.
func expectRoom(
    for op: some Operator, _ values: [Datum?], _ outputs: Int, _ scope: any Scope
) throws(Misfit) {
    let inputs = Inputs(values.map { $0?.type }, constants: values, outputCount: outputs)
    try scope.expectRoom(for: op.boundedOutputTypes(for: inputs))
}

/// The one float of an input that may be left out.
func scalar(_ values: [Datum?], _ index: Int) -> Float? {
    index < values.count ? values[index]?.tensor?.elements(as: Float.self).first : nil
}

/// Rows of indices as an int64 tensor; of rank 1 where there is no number of columns.
func selection(_ indices: [Int64], columns: Int?) -> Datum? {
    guard let columns else { return .tensor(Tensor(vector: indices)) }
    return Tensor(extents: [indices.count / columns, columns], indices).map { .tensor($0) }
}
