package import DCNGraph

/// Sums of products over axes that letters name, as in Einstein's notation.
///
///     "bij,bjk->bik": y[b, i, k] = Σ_j a[b, i, j] · c[b, j, k]
///
/// A letter twice in one operand is its diagonal; letters that the result lacks are summed; `...` stands for further
/// axes, which are broadcast. A sum of nothing is 0.
package struct Einsum: Operator {
    package static let name = "Einsum"
    /// The equation, as ONNX writes it.
    package var equation: String

    package init(_ equation: String) { self.equation = equation }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let equation = try Equation(equation)
        var operands: [Operand] = []
        for index in 0..<max(1, inputs.count) {
            operands.append(try inputs.required(index, "operand \(index)"))
            try operands[index].expect(.numbers)
            try operands[index].expectSameElement(as: operands[0])
        }
        let shapes = operands.compactMap(\.shape)
        guard shapes.count == operands.count else { return [.tensor(TensorType(operands[0].element, nil))] }
        let labels = try equation.labels(ranks: shapes.map(\.rank))
        let extents = try Einsum.extents(labels.operands, shapes)
        let shape = Shape(labels.result.map { extents[$0] ?? .unknown })
        return [.tensor(TensorType(operands[0].element, shape))]
    }

    /// The extent of each label, as far as it is known.
    static func extents(
        _ labels: [[Equation.Label]], _ shapes: [Shape]
    ) throws(Misfit) -> [Equation.Label: Dimension] {
        var extents: [Equation.Label: Dimension] = [:]
        for (index, shape) in shapes.enumerated() {
            for (axis, label) in labels[index].enumerated() {
                let before = extents[label] ?? .fixed(1)
                guard let joined = join(before, shape[axis]) else {
                    throw .extent(
                        of: "operand \(index)", axis: axis, expected: "\(before)", got: "\(shape[axis])",
                        because: "the other axes of the same letter")
                }
                extents[label] = joined
            }
        }
        return extents
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let plan = try EinsumPlan(try Equation(equation), call)
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case .int8: return .kernel(plan.kernel(Int8.self))
        case .int16: return .kernel(plan.kernel(Int16.self))
        case .int32: return .kernel(plan.kernel(Int32.self))
        case .int64: return .kernel(plan.kernel(Int64.self))
        case .uint8: return .kernel(plan.kernel(UInt8.self))
        case .uint16: return .kernel(plan.kernel(UInt16.self))
        case .uint32: return .kernel(plan.kernel(UInt32.self))
        case .uint64: return .kernel(plan.kernel(UInt64.self))
        default: throw noKernel("Einsum", for: try call.input(0).element)
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Einsum", [("equation", .string(ByteString(equation)))], since: 12)
    }
}

/// A sum of products on known extents.
struct EinsumPlan: Sendable {
    /// Extents of the result, then of the axes that are summed.
    private let result: [Int]
    private let summed: [Int]
    /// Steps of each operand along both.
    private let resultSteps: [[Int]]
    private let summedSteps: [[Int]]
    private let tiling: Tiling

    init(_ equation: Equation, _ call: Call) throws(Misfit) {
        var extents: [[Int]] = []
        for index in call.inputs.indices { extents.append(try call.extents(index)) }
        let labels = try equation.labels(ranks: extents.map(\.count))
        let sizes = try Einsum.extents(labels.operands, extents.map { Shape($0) })
        let inner = Set(labels.operands.joined()).subtracting(labels.result)
        // Axes of the last operand innermost: neighbours in a sum should be neighbours in memory.
        let order = labels.operands.reversed().joined().reduce(into: [Equation.Label]()) { order, label in
            if inner.contains(label), !order.contains(label) { order.append(label) }
        }
        result = labels.result.map { sizes[$0]?.fixed ?? 0 }
        summed = order.map { sizes[$0]?.fixed ?? 0 }
        let steps = zip(labels.operands, extents).map { EinsumPlan.steps($0, $1) }
        resultSteps = steps.map { steps in labels.result.map { steps[$0] ?? 0 } }
        summedSteps = steps.map { steps in order.map { steps[$0] ?? 0 } }
        guard let count = elementCount(of: result), let terms = elementCount(of: summed) else {
            throw .value(of: "the sum", because: "has more terms than can be counted")
        }
        tiling = Tiling(count, cost: terms, limit: 1 << 14)
    }

    /// Steps along each label: an axis named twice is walked on its diagonal, one of extent 1 is repeated.
    private static func steps(_ labels: [Equation.Label], _ extents: [Int]) -> [Equation.Label: Int] {
        let own = rowMajorStrides(extents)
        var steps: [Equation.Label: Int] = [:]
        for (axis, label) in labels.enumerated() {
            steps[label, default: 0] += extents[axis] == 1 ? 0 : own[axis]
        }
        return steps
    }

    /// A kernel whose tiles are elements of the result.
    func kernel<T: Factor>(_ type: T.Type) -> TileKernel {
        let operands = resultSteps.count
        return TileKernel(
            tiles: tiling.tiles, scratch: (operands + summed.count) * MemoryLayout<Int>.stride + 64
        ) {
            tile, frame in
            let places = frame.scratch(as: Int.self)
            for index in tiling[tile] {
                begin(index, places)
                frame.output(0, as: T.self)[index] = sum(places, places + operands, frame)
            }
        }
    }

    private func begin(_ index: Int, _ places: UnsafeMutablePointer<Int>) {
        for operand in resultSteps.indices { places[operand] = 0 }
        var rest = index
        for axis in result.indices.reversed() {
            let coordinate = rest % result[axis]
            rest /= result[axis]
            for operand in resultSteps.indices { places[operand] += coordinate * resultSteps[operand][axis] }
        }
    }

    /// The sum for operands that begin at `places`; `counters` count along the summed axes.
    private func sum<T: Factor>(
        _ places: UnsafeMutablePointer<Int>, _ counters: UnsafeMutablePointer<Int>, _ frame: Frame
    ) -> T {
        guard !summed.contains(0) else { return .zero }
        for axis in summed.indices { counters[axis] = 0 }
        var total = T.zero
        while true {
            total = T.sum(total, product(places, frame), .one)
            var axis = summed.count - 1
            while axis >= 0, counters[axis] == summed[axis] - 1 {
                for operand in summedSteps.indices {
                    places[operand] -= counters[axis] * summedSteps[operand][axis]
                }
                counters[axis] = 0
                axis -= 1
            }
            guard axis >= 0 else { return total }
            counters[axis] += 1
            for operand in summedSteps.indices { places[operand] += summedSteps[operand][axis] }
        }
    }

    private func product<T: Factor>(_ places: UnsafeMutablePointer<Int>, _ frame: Frame) -> T {
        var product = T.one
        for operand in summedSteps.indices {
            product = T.sum(.zero, product, frame.input(operand, as: T.self)[places[operand]])
        }
        return product
    }
}
