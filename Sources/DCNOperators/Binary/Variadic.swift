internal import CKernels
package import DCNGraph

/// An operator that combines any number of operands of one type, two at a time from the left, shapes broadcast.
package protocol VariadicMap: Operator {
    /// The element types that the standard allows.
    static var elements: [ElementType] { get }
    /// The least operator set version with this form.
    static var since: Int { get }
    /// The kernel that combines two.
    static var vectorPair: VectorPair { get }
    /// Whether the result is divided by the number of operands in the end.
    static var averages: Bool { get }
    /// The formula on integers.
    func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T
}

extension VariadicMap {
    package static var averages: Bool { false }
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var operands: [Operand] = []
        for index in 0..<max(1, inputs.count) { operands.append(try inputs.required(index, "data_\(index)")) }
        try operands[0].expect(Self.elements)
        for operand in operands { try operand.expectSameElement(as: operands[0]) }
        return [.tensor(try broadcastType(operands[0].element, operands))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard inputs.count == 2 else { return [nil] }
        return [
            combinedDimensions(inputs) { a, b in
                guard let a = a.fixed, let b = b.fixed else { return .unknown }
                return .fixed(integer(a, b))
            }
        ]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: Self.since)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        var types: [TensorType] = []
        for index in call.inputs.indices { types.append(try call.input(index)) }
        let output = try call.output(0)
        let broadcast = try Broadcast(types, output: output, cost: types.count)
        let kernels = try KernelTable(call.instructionSet)
        // With more operands the result would overwrite what a later step reads, should a value stand twice.
        let shared = types.count > 2 ? [] : sharedBytes(types, output)
        let kernel: TileKernel? =
            switch output.element {
            case .float32: kernel(kernels, broadcast, shared, Float(types.count))
            case .float64: kernel(kernels, broadcast, shared, Double(types.count))
            case .int32: kernel(kernels, broadcast, shared, Int32(1))
            case .int64: kernel(kernels, broadcast, shared, Int64(1))
            default: withInteger(output.element, VariadicBody(op: self, broadcast: broadcast, shared: shared))
            }
        guard let kernel, Self.elements.contains(output.element) else {
            throw noKernel(Self.name, for: output.element)
        }
        return .kernel(kernel)
    }

    private func kernel<T: PairElement>(
        _ kernels: KernelTable, _ broadcast: Broadcast, _ shared: [InPlace], _ count: T
    ) -> TileKernel {
        let walks = pairWalks(broadcast)
        // A single operand is the greatest of itself.
        let map = broadcast.rowStrides.count == 2 ? DCN_BINARY_MAX : Self.vectorPair.map
        let averages = Self.averages
        return TileKernel(tiles: walks[0].tiles, inPlace: shared) { tile, frame in
            let y = frame.output(0, as: T.self)
            for (index, walk) in walks.enumerated() {
                let isFirst = index == 0
                let a = isFirst ? frame.input(0, as: T.self) : UnsafePointer(y)
                let b = frame.input(
                    walks.count == 1 && broadcast.rowStrides.count == 2 ? 0 : index + 1, as: T.self)
                walk.forEach(in: tile) { shape, offset in
                    T.combine(kernels, map, shape, a + offset[0], b + offset[1], y + offset[3])
                }
            }
            if averages { divide(kernels, walks[0], tile, y, by: count) }
        }
    }
}

/// The first two operands into the result, then the result with each further one.
private func pairWalks(_ broadcast: Broadcast) -> [BroadcastWalk] {
    let count = broadcast.rowStrides.count - 1
    guard count > 1 else { return [broadcast.walk(a: 0, b: 0)] }
    return [broadcast.walk(a: 0, b: 1)] + (2..<max(2, count)).map { broadcast.walk(resultAnd: $0) }
}

private func divide<T: PairElement>(
    _ kernels: KernelTable, _ walk: BroadcastWalk, _ tile: Int, _ y: UnsafeMutablePointer<T>, by count: T
) {
    withUnsafePointer(to: count) { count in
        walk.forEach(in: tile) { shape, offset in
            var shape = shape
            (shape.a_row, shape.a_column) = (shape.y_row, 1)
            (shape.b_row, shape.b_column) = (0, 0)
            T.combine(kernels, DCN_BINARY_DIV, shape, y + offset[3], count, y + offset[3])
        }
    }
}

private struct VariadicBody<Op: VariadicMap>: IntegerBody {
    let op: Op
    let broadcast: Broadcast
    let shared: [InPlace]

    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        let op = op
        let walks = pairWalks(broadcast)
        let isAlone = broadcast.rowStrides.count == 2
        return TileKernel(tiles: walks[0].tiles, inPlace: shared) { tile, frame in
            let y = frame.output(0, as: T.self)
            for (index, walk) in walks.enumerated() {
                let a = index == 0 ? frame.input(0, as: T.self) : UnsafePointer(y)
                let b = frame.input(isAlone ? 0 : index + 1, as: T.self)
                walk.forEach(in: tile) { shape, offset in
                    mapRows(shape, a + offset[0], b + offset[1], y + offset[3]) { (a: T, b: T) in
                        op.integer(a, b)
                    }
                }
            }
        }
    }
}

/// y = the greatest of the operands; NaN wins.
package struct Max: VariadicMap {
    package static let name = "Max"
    package static let elements = [ElementType].numbers
    package static let since = 12
    package static let vectorPair = VectorPair(DCN_BINARY_MAX)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { max(a, b) }
}

/// y = the least of the operands; NaN wins.
package struct Min: VariadicMap {
    package static let name = "Min"
    package static let elements = [ElementType].numbers
    package static let since = 12
    package static let vectorPair = VectorPair(DCN_BINARY_MIN)
    package init() {}
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { min(a, b) }
}

/// y = the sum of the operands; NaN where one is, or where ∞ and −∞ meet.
package struct Sum: VariadicMap {
    package static let name = "Sum"
    package static let elements = [ElementType].floats
    package static let since = 8
    package static let vectorPair = VectorPair(DCN_BINARY_ADD)
    package init() {}
}

/// y = the mean of the operands; NaN where one is, or where ∞ and −∞ meet.
package struct Mean: VariadicMap {
    package static let name = "Mean"
    package static let elements = [ElementType].floats
    package static let since = 8
    package static let vectorPair = VectorPair(DCN_BINARY_ADD)
    package static let averages = true
    package init() {}
}
