package import DCNGraph

/// The mean, sum or list of negative scores of the right classes.
///
///     loss(i) = −weight[target(i)] · x[i, target(i)];  mean: Σ loss / Σ weight[target]
///
/// Inputs: x `[N, C, …]` (logarithms of probabilities; plain scores where `takesScores`, then their log-softmax is taken first, and
/// is the second output where wanted), target `[N, …]` (int32 or int64), weight `[C]` or left out. Ignored targets weigh nothing.
package struct ClassLoss: Operator {
    package static let name = "ClassLoss"
    /// What becomes of the losses.
    package enum Result: String, Sendable, Hashable, Codable, CaseIterable { case none, mean, sum }
    /// What becomes of the losses.
    package var result: Result
    /// The target that does not count.
    package var ignored: Int?
    /// Whether x holds scores instead of logarithms of probabilities.
    package var takesScores: Bool

    package init(_ result: Result = .mean, ignored: Int? = nil, takesScores: Bool) {
        self.result = result
        self.ignored = ignored
        self.takesScores = takesScores
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        let target = try inputs.required(1, "target")
        try x.expect(ElementType.reals)
        try target.expect([.int32, .int64])
        if let weight = try inputs.optional(2, "weight", rank: 1) {
            try weight.expectSameElement(as: x)
            try weight.expect(x.dimension(1), along: 0, because: "one for each class")
        }
        if let rank = x.rank {
            guard rank >= 2 else { throw .rank(of: "input", expected: "2 or more", got: rank) }
            try target.expectRank(rank - 1)
            for axis in 0..<(rank - 1) {
                try target.expect(x.dimension(axis == 0 ? 0 : axis + 1), along: axis, because: "as input")
            }
        }
        let loss = ValueType.tensor(TensorType(x.element, result == .none ? target.shape : Shape([Int]())))
        return takesScores && inputs.outputCount > 1
            ? [loss, .tensor(TensorType(x.element, x.shape))] : [loss]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        switch try call.input(0).element {
        case .float32: return .kernel(try kernel(call, Float.self))
        case .float64: return .kernel(try kernel(call, Double.self))
        case let element: throw .unsupported("a loss on \(element)")
        }
    }

    private func kernel<T: BinaryFloatingPoint & Sendable>(_ call: Call, _ type: T.Type) throws(Misfit)
        -> TileKernel
    {
        let x = try call.extents(0)
        let plan = LossPlan(
            op: self, items: x[0], classes: x[1], plane: x.dropFirst(2).reduce(1, *), hasWeights: call.has(2),
            hasWideTargets: try call.input(1).element == .int64,
            givesLogarithms: call.outputs.count > 1 && call.outputs[1] != nil)
        return TileKernel(tiles: 1, check: { plan.misfit($0) }) { (_, frame) in plan.run(frame, type) }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("reduction", .string(ByteString(result.rawValue)))
        ]
        if let ignored { attributes.append(("ignore_index", .int(ignored))) }
        return WrittenNode(
            takesScores ? "SoftmaxCrossEntropyLoss" : "NegativeLogLikelihoodLoss", attributes, since: 12)
    }
}

private struct LossPlan: Sendable {
    let op: ClassLoss
    let items, classes, plane: Int
    let hasWeights, hasWideTargets, givesLogarithms: Bool

    private func target(_ frame: Frame, _ index: Int) -> Int {
        hasWideTargets
            ? Int(frame.input(1, as: Int64.self)[index]) : Int(frame.input(1, as: Int32.self)[index])
    }

    func misfit(_ frame: Frame) -> Misfit? {
        for index in 0..<(items * plane) {
            let target = target(frame, index)
            guard target == op.ignored || (target >= 0 && target < classes) else {
                return .value(of: "target", because: "has \(target), expected 0 … \(classes - 1)")
            }
        }
        return nil
    }

    func run<T: BinaryFloatingPoint>(_ frame: Frame, _ type: T.Type) {
        let x = frame.input(0, as: T.self)
        let y = frame.output(0, as: T.self)
        let weights = hasWeights ? frame.optionalInput(2, as: T.self) : nil
        let logarithms = givesLogarithms ? frame.optionalOutput(1, as: T.self) : nil
        var (total, weight) = (0.0, 0.0)
        for index in 0..<(items * plane) {
            let start = index / plane * classes * plane + index % plane
            let shift = op.takesScores ? logSum(x + start) : 0
            if let logarithms {
                for c in 0..<classes {
                    logarithms[start + c * plane] = T(Double(x[start + c * plane]) - shift)
                }
            }
            let target = target(frame, index)
            let isIgnored = target == op.ignored
            let own = isIgnored ? 0 : weights.map { Double($0[target]) } ?? 1
            let loss = isIgnored ? 0 : (shift - Double(x[start + target * plane])) * own
            total += loss
            weight += own
            if op.result == .none { y[index] = T(loss) }
        }
        if op.result == .sum { y[0] = T(total) }
        if op.result == .mean { y[0] = T(total / weight) }
    }

    private func logSum<T: BinaryFloatingPoint>(_ x: UnsafePointer<T>) -> Double {
        let runs = StridedRuns(extents: [classes], strides: [plane])
        return Double(ReduceKind.logSumExp.floating(runs, x))
    }
}

extension Family {
    /// Losses of classification.
    static let losses = Family(
        [ClassLoss.self],
        [
            "": [
                "NegativeLogLikelihoodLoss": { (node) throws(Misfit) in try loss(node, takesScores: false) },
                "SoftmaxCrossEntropyLoss": { (node) throws(Misfit) in try loss(node, takesScores: true) },
            ]
        ])

    private static func loss(_ node: SourceNode, takesScores: Bool) throws(Misfit) -> Meaning {
        let text = try node.string("reduction", default: "mean")
        guard let result = ClassLoss.Result(rawValue: text) else {
            throw .attribute("reduction", because: "is \(escaped(text)), expected none, mean or sum")
        }
        return Meaning(
            ClassLoss(result, ignored: try node.optionalInt("ignore_index"), takesScores: takesScores))
    }
}
