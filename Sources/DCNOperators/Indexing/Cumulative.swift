package import DCNGraph

/// Running sums along the axis of input 1: inputs x, axis. Behind a NaN all are NaN; of nothing the sum is 0.
package struct CumSum: Operator {
    package static let name = "CumSum"
    /// Whether an element leaves itself out.
    package var isExclusive: Bool
    /// Whether it runs from the end.
    package var isReversed: Bool

    package init(isExclusive: Bool = false, isReversed: Bool = false) {
        self.isExclusive = isExclusive
        self.isReversed = isReversed
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { try cumulativeTypes(inputs) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try cumulative(self, call, .add, isExclusive, isReversed)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("CumSum", cumulativeAttributes(isExclusive, isReversed), since: 11)
    }
}

/// Running products along the axis of input 1: inputs x, axis. Behind a NaN all are NaN; of nothing the product is 1.
package struct CumProd: Operator {
    package static let name = "CumProd"
    /// Whether an element leaves itself out.
    package var isExclusive: Bool
    /// Whether it runs from the end.
    package var isReversed: Bool

    package init(isExclusive: Bool = false, isReversed: Bool = false) {
        self.isExclusive = isExclusive
        self.isReversed = isReversed
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { try cumulativeTypes(inputs) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        try cumulative(self, call, .mul, isExclusive, isReversed)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("CumProd", cumulativeAttributes(isExclusive, isReversed), since: 26)
    }
}

private func cumulativeAttributes(
    _ isExclusive: Bool, _ isReversed: Bool
) -> [(name: String, value: SourceAttribute)] {
    [("exclusive", .int(isExclusive ? 1 : 0)), ("reverse", .int(isReversed ? 1 : 0))]
}

private func cumulativeTypes(_ inputs: Inputs) throws(Misfit) -> [ValueType] {
    let data = try inputs.required(0, "x")
    let axis = try inputs.required(1, "axis")
    try axis.expectIndices()
    try axis.expectListOrScalar()
    guard data.element != .string, data.element != .bool, !data.element.isPacked, !data.element.isComplex
    else {
        throw .element(of: "x", expected: "a number", got: data.element)
    }
    if let rank = data.rank, let index = try axis.scalar() { _ = try resolvedAxis(index, rank: rank) }
    return [.tensor(TensorType(data.element, data.shape))]
}

private func cumulative(
    _ op: any Operator, _ call: Call, _ reduction: Reduction, _ isExclusive: Bool, _ isReversed: Bool
) throws(Misfit) -> Execution {
    guard try call.isSettled([1]) else { return .routine(LateRoutine(op: op, outputs: call.outputs)) }
    if call.isEmpty { return .kernel(NumbersKernel([])) }
    let extents = try call.extents(0)
    guard let axis = call.constant(1)?.integers?.first else { throw .missing("the value of axis") }
    let along = try resolvedAxis(axis, rank: extents.count)
    let scan = LineScan(
        count: extents[along], inner: extents[(along + 1)...].product,
        outer: extents[..<along].product,
        reduction: reduction, isExclusive: isExclusive, isReversed: isReversed)
    switch try call.input(0).element {
    case .float32: return .kernel(scan.kernel(Float(reduction == .mul ? 1 : 0)))
    case .float64: return .kernel(scan.kernel(Double(reduction == .mul ? 1 : 0)))
    case .int8: return .kernel(scan.kernel(Int8(reduction == .mul ? 1 : 0)))
    case .int16: return .kernel(scan.kernel(Int16(reduction == .mul ? 1 : 0)))
    case .int32: return .kernel(scan.kernel(Int32(reduction == .mul ? 1 : 0)))
    case .int64: return .kernel(scan.kernel(Int64(reduction == .mul ? 1 : 0)))
    case .uint8: return .kernel(scan.kernel(UInt8(reduction == .mul ? 1 : 0)))
    case .uint16: return .kernel(scan.kernel(UInt16(reduction == .mul ? 1 : 0)))
    case .uint32: return .kernel(scan.kernel(UInt32(reduction == .mul ? 1 : 0)))
    case .uint64: return .kernel(scan.kernel(UInt64(reduction == .mul ? 1 : 0)))
    case let element: throw .unsupported("\(op.name) of \(element)")
    }
}

/// A running reduction along the middle one of three axes.
private struct LineScan: Sendable {
    let count: Int
    let inner: Int
    let outer: Int
    let reduction: Reduction
    let isExclusive: Bool
    let isReversed: Bool

    /// Tiles are planes of the outer axis; `neutral` changes nothing.
    func kernel<T: Reducible>(_ neutral: T) -> TileKernel {
        let tiling = Tiling(count == 0 || inner == 0 ? 0 : outer, cost: count * inner)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            for plane in tiling[tile] {
                let x = frame.input(0, as: T.self) + plane * count * inner
                let y = frame.output(0, as: T.self) + plane * count * inner
                for step in 0..<count {
                    let row = (isReversed ? count - 1 - step : step) * inner
                    let before = isReversed ? row + inner : row - inner
                    for column in 0..<inner {
                        let carried = step == 0 ? neutral : y[before + column]
                        let taken = isExclusive ? (step == 0 ? neutral : x[before + column]) : x[row + column]
                        y[row + column] = carried.joined(taken, by: reduction)
                    }
                }
            }
        }
    }
}
