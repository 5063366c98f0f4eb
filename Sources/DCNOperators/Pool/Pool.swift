internal import CKernels
package import DCNGraph

/// What becomes of the cells under a window.
package enum Pooling: Sendable, Hashable, Codable {
    /// The greatest; outside cells do not count.
    case maximum
    /// The mean of the real cells, or of all within the padding.
    case average(countsPadding: Bool)
    /// `(Σ |x|^p)^(1/p)`.
    case norm(order: Int)
}

/// One value for each position of a window that slides over one to three spatial axes.
///
/// Input: X `[N, C, …]` (`[N, …, C]` where `hasChannelsLast`: shapes too, not only bytes). Outputs: Y; for maxima also, where
/// wanted, the position (int64) of each within the flattened X, the last axis counted slowest where `countsColumns`.
/// A maximum passes NaN by: of NaN alone, or of padding alone, it is −∞. An average of no cell is 0.
package struct Pool: Operator {
    package static let name = "Pool"
    /// What becomes of the cells.
    package var pooling: Pooling
    /// The window.
    package var window: PoolWindow
    /// Whether positions count the last spatial axis slowest.
    package var countsColumns: Bool
    /// Whether the channels are the last axis of the shapes.
    package var hasChannelsLast: Bool

    package init(
        _ pooling: Pooling, _ window: PoolWindow, countsColumns: Bool = false, hasChannelsLast: Bool = false
    ) {
        self.pooling = pooling
        self.window = window
        self.countsColumns = countsColumns
        self.hasChannelsLast = hasChannelsLast
    }

    private var allowed: [ElementType] {
        pooling == .maximum ? ElementType.reals + [.int8, .uint8] : ElementType.reals
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(allowed)
        try window.check()
        if case .norm(let order) = pooling, order < 1 {
            throw .attribute("p", because: "is \(order), expected at least 1")
        }
        var dimensions = x.shape?.dimensions
        if let rank = x.rank {
            guard rank == window.kernel.count + 2 else {
                throw .rank(
                    of: "X", expected: "\(window.kernel.count + 2), two more than kernel_shape has entries",
                    got: rank)
            }
            let first = hasChannelsLast ? 1 : 2
            for index in window.kernel.indices {
                dimensions?[first + index] = try window.output(index, of: x.dimension(first + index))
            }
        }
        let y = TensorType(x.element, dimensions.map { Shape($0) }, layout: x.type.layout)
        let positions = TensorType(.int64, y.shape)
        return pooling == .maximum && inputs.outputCount > 1
            ? [.tensor(y), .tensor(positions)] : [.tensor(y)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard !hasChannelsLast, let type = inputs.types.first??.tensor, type.element == .float32,
            window.kernel.count == 2
        else { return .rowMajor }
        return .channelsLast(inputs: [0], outputs: [0])
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let plan = try PoolPlan(self, call)
        let simd = try Simd(call.instructionSet)
        switch (x.element, x.layout) {
        case (.float32, .channelsLast): return .kernel(plan.vectorLast(simd))
        case (.float32, .rowMajor) where !hasChannelsLast && simd.table.pointee.pool_rows_f32 != nil:
            return .kernel(plan.vectorRows(simd))
        case (.float32, .rowMajor): return .kernel(plan.floating(Float.self))
        case (.float64, .rowMajor): return .kernel(plan.floating(Double.self))
        case (.int8, .rowMajor): return .kernel(plan.maxima(Int8.self, least: .min))
        case (.uint8, .rowMajor): return .kernel(plan.maxima(UInt8.self, least: .min))
        default: throw .unsupported("pooling of \(x)")
        }
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* window.kernel.reduce(1, &*)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes = window.attributes
        let dilated = window.dilations.contains { $0 != 1 }
        if hasChannelsLast {
            return WrittenNode("NhwcMaxPool", attributes, domain: "com.microsoft", since: 1)
        }
        switch pooling {
        case .maximum:
            if countsColumns { attributes.append(("storage_order", .int(1))) }
            let isInteger = inputs.types.first??.tensor?.element.isInteger == true
            return WrittenNode(
                "MaxPool", attributes,
                since: isInteger ? 12 : dilated || window.roundsUp ? 10 : inputs.outputCount > 1 ? 8 : 7)
        case .average(let countsPadding):
            if countsPadding { attributes.append(("count_include_pad", .int(1))) }
            return WrittenNode("AveragePool", attributes, since: dilated ? 19 : window.roundsUp ? 10 : 7)
        case .norm(let order):
            attributes.append(("p", .int(order)))
            return WrittenNode("LpPool", attributes, since: dilated || window.roundsUp ? 18 : 7)
        }
    }
}
