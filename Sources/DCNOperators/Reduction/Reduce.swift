internal import CKernels
package import DCNGraph

/// How many values become one.
package enum ReduceKind: String, Sendable, Hashable, Codable, CaseIterable {
    case sum, mean, maximum, minimum, product, sumSquare, l1, l2, logSum, logSumExp
}

/// Combines elements along axes.
///
///     sum: Σ x            mean: Σ x / n        maximum, minimum: NaN if there is one     product: Π x
///     sumSquare: Σ x²     l1: Σ |x|            l2: √Σ x²     logSum: ln Σ x              logSumExp: ln Σ eˣ
///
/// Inputs: data, axes (int64 of rank 1; absent or empty: all axes, or none where `keepsAllWithoutAxes`).
/// Of nothing, a sum is 0, a product 1, a maximum the least and a minimum the greatest value of the type.
/// Integers wrap; fractions are cut toward zero.
package struct Reduce: Operator {
    package static let name = "Reduce"
    /// How values are combined.
    package var reduction: ReduceKind
    /// Whether reduced axes stay with extent 1.
    package var keepsDimensions: Bool
    /// Whether no axes means no axes instead of all of them.
    package var keepsAllWithoutAxes: Bool

    package init(_ reduction: ReduceKind, keepsDimensions: Bool = true, keepsAllWithoutAxes: Bool = false) {
        self.reduction = reduction
        self.keepsDimensions = keepsDimensions
        self.keepsAllWithoutAxes = keepsAllWithoutAxes
    }

    static let elements: [ElementType] = [
        .uint32, .uint64, .int32, .int64, .float16, .float32, .float64, .bfloat16,
    ]
    static let extremeElements: [ElementType] = elements + [.uint8, .int8, .bool]

    private var isExtreme: Bool { reduction == .maximum || reduction == .minimum }

    /// The axes counted from the front; nil when they are not known.
    func axes(rank: Int, given: Bool, values: [Int]?) throws(Misfit) -> Set<Int>? {
        guard !given || values != nil else { return nil }
        guard let values, !values.isEmpty else { return keepsAllWithoutAxes ? [] : Set(0..<rank) }
        var axes: Set<Int> = []
        for value in values { axes.insert(try resolvedAxis(value, rank: rank, name: "axes")) }
        return axes
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        try data.expect(isExtreme ? Self.extremeElements : Self.elements)
        let given = try inputs.optional(1, "axes")
        try given?.expect([.int64])
        if let rank = given?.rank, rank > 1 { throw .rank(of: "axes", expected: "1", got: rank) }
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        guard let axes = try axes(rank: shape.rank, given: given != nil, values: given?.integers) else {
            return [.tensor(TensorType(data.element, keepsDimensions ? unknown(shape.rank) : nil))]
        }
        let dimensions = shape.dimensions.enumerated().compactMap { (axis, dimension) -> Dimension? in
            axes.contains(axis) ? (keepsDimensions ? .fixed(1) : nil) : dimension
        }
        return [.tensor(TensorType(data.element, Shape(dimensions)))]
    }

    private func unknown(_ rank: Int) -> Shape { Shape([Dimension](repeating: .unknown, count: rank)) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let given = call.has(1)
        guard
            let axes = try axes(
                rank: extents.count, given: given, values: given ? call.constant(1)?.integers : nil)
        else { return .routine(lateRoutine(self)) }
        let plan = ReductionPlan(extents: extents, axes: axes)
        if try call.input(0).element == .float32, let kernel = try vectorKernel(plan, call) {
            return .kernel(kernel)
        }
        return .kernel(try scalarKernel(plan, element: try call.input(0).element))
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("keepdims", .int(keepsDimensions ? 1 : 0))
        ]
        if keepsAllWithoutAxes { attributes.append(("noop_with_empty_axes", .int(1))) }
        return WrittenNode(reduction.onnxName, attributes, since: reduction == .sum ? 13 : 18)
    }
}

extension ReduceKind {
    /// ONNX's name of the operator.
    var onnxName: String {
        switch self {
        case .sum: "ReduceSum"
        case .mean: "ReduceMean"
        case .maximum: "ReduceMax"
        case .minimum: "ReduceMin"
        case .product: "ReduceProd"
        case .sumSquare: "ReduceSumSquare"
        case .l1: "ReduceL1"
        case .l2: "ReduceL2"
        case .logSum: "ReduceLogSum"
        case .logSumExp: "ReduceLogSumExp"
        }
    }

    var code: dcn_reduce {
        switch self {
        case .sum: DCN_REDUCE_SUM
        case .mean: DCN_REDUCE_MEAN
        case .maximum: DCN_REDUCE_MAX
        case .minimum: DCN_REDUCE_MIN
        case .product: DCN_REDUCE_PROD
        case .sumSquare: DCN_REDUCE_SUM_SQUARE
        case .l1: DCN_REDUCE_L1
        case .l2: DCN_REDUCE_L2
        case .logSum: DCN_REDUCE_LOG_SUM
        case .logSumExp: DCN_REDUCE_LOG_SUM_EXP
        }
    }
}
