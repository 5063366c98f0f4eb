package import DCNGraph

/// A residual sum and its normalisation over the last axis: LayerNormalization of `input + skip + bias`.
///
/// Inputs: input `[…, H]`, skip (the same, or broadcast along leading axes), gamma `[H]`, beta `[H]` or left out (always where
/// simplified), bias `[H]` or left out. Outputs: normalised; then, where wanted, mean, the factor `1 / √…`, and the sum.
/// What is not finite does as it does there.
package struct SkipLayerNormalization: Operator {
    package static let name = "SkipLayerNormalization"
    /// Added below the root.
    package var epsilon: Float
    /// Whether nothing is subtracted.
    package var isSimplified: Bool

    package init(epsilon: Float = 1e-12, isSimplified: Bool = false) {
        self.epsilon = epsilon
        self.isSimplified = isSimplified
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let input = try inputs.required(0, "input")
        try input.expect(ElementType.reals)
        let skip = try inputs.required(1, "skip")
        try skip.expectSameElement(as: input)
        for (index, name) in [(2, "gamma"), (3, "beta"), (4, "bias")] where index == 2 || inputs.has(index) {
            let operand = try inputs.required(index, name, rank: 1)
            try operand.expectSameElement(as: input)
            if let rank = input.rank, rank > 0 {
                try operand.expect(input.dimension(rank - 1), along: 0, because: "the last axis of input")
            }
        }
        guard let shape = input.shape else {
            return types(input.type, TensorType(.float32, nil), inputs.outputCount)
        }
        guard shape.rank > 0 else { throw .rank(of: "input", expected: "1 or more", got: 0) }
        try expectSuffix(skip, of: shape)
        var statistic = shape
        statistic[shape.rank - 1] = 1
        return types(input.type, TensorType(.float32, statistic), inputs.outputCount)
    }

    private func types(_ y: TensorType, _ statistic: TensorType, _ count: Int) -> [ValueType] {
        [y, statistic, statistic, y].prefix(max(1, count)).map { .tensor($0) }
    }

    private func expectSuffix(_ skip: Operand, of shape: Shape) throws(Misfit) {
        guard let own = skip.shape else { return }
        guard own.rank <= shape.rank else {
            throw .rank(of: "skip", expected: "at most \(shape.rank)", got: own.rank)
        }
        guard own.rank > 0 else { throw .rank(of: "skip", expected: "1 or more", got: 0) }
        let leading = own.dimensions.dropLast().prefix { $0 == 1 }.count
        for axis in leading..<own.rank {
            try skip.expect(
                shape[shape.rank - own.rank + axis], along: axis, because: "skip is added to input")
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let columns = extents[extents.count - 1]
        let rows = extents.dropLast().reduce(1, *)
        let skipRows = columns == 0 ? 1 : max(1, (try call.input(1).elementCount ?? columns) / columns)
        let plan = SkipPlan(
            rows: rows, columns: columns, skipRows: skipRows, epsilon: Double(epsilon),
            isSimplified: isSimplified, hasBeta: call.has(3), hasBias: call.has(4),
            outputs: call.outputs.count)
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case let element: throw .unsupported("SkipLayerNormalization on \(element)")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            isSimplified ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization",
            [("epsilon", .float(epsilon))],
            domain: "com.microsoft", order: isSimplified ? [0, 1, 2, 4] : nil, since: 1)
    }
}

private struct SkipPlan: Sendable {
    let rows, columns, skipRows: Int
    let epsilon: Double
    let isSimplified, hasBeta, hasBias: Bool
    let outputs: Int

    func kernel<T: BinaryFloatingPoint & Sendable>(_ type: T.Type) -> TileKernel {
        let tiling = Tiling(rows, cost: columns * 6)
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] { plan.run(row, frame, type) }
        }
    }

    private func statistics<T: BinaryFloatingPoint>(_ x: UnsafePointer<T>) -> (mean: Double, factor: Double) {
        let runs = StridedRuns(extents: [columns], strides: [1])
        let count = Double(columns)
        let sum: Double = runs.fold(x, 0.0) { $0 += Double($1) }
        let mean: Double = isSimplified ? 0 : sum / count
        let squares: Double = runs.fold(x, 0.0) { $0 += (Double($1) - mean) * (Double($1) - mean) }
        return (mean, 1 / (squares / count + epsilon).squareRoot())
    }

    private func run<T: BinaryFloatingPoint>(_ row: Int, _ frame: Frame, _ type: T.Type) {
        let x = frame.input(0, as: T.self) + row * columns
        let skip = frame.input(1, as: T.self) + row % skipRows * columns
        let gamma = frame.input(2, as: T.self)
        let beta = hasBeta ? frame.optionalInput(3, as: T.self) : nil
        let bias = hasBias ? frame.optionalInput(4, as: T.self) : nil
        let y = frame.output(0, as: T.self) + row * columns
        for column in 0..<columns {
            var sum: T = x[column] + skip[column]
            if let bias { sum += bias[column] }
            y[column] = sum
        }
        if outputs > 3, let sum = frame.optionalOutput(3, as: T.self) {
            (sum + row * columns).update(from: y, count: columns)
        }
        let (mean, factor) = statistics(UnsafePointer(y))
        for column in 0..<columns {
            var value: Double = (Double(y[column]) - mean) * factor * Double(gamma[column])
            if let beta { value += Double(beta[column]) }
            y[column] = T(value)
        }
        if outputs > 1 { frame.optionalOutput(1, as: Float.self)?[row] = Float(mean) }
        if outputs > 2 { frame.optionalOutput(2, as: Float.self)?[row] = Float(factor) }
    }
}
