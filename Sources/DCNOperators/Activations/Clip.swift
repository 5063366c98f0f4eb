internal import CKernels
package import DCNGraph

/// y = min(max(x, low), high); either bound may be left out. Where low > high, y is high; NaN stays.
package struct Clip: Operator {
    package static let name = "Clip"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect(.numbers)
        for (index, name) in [(1, "min"), (2, "max")] {
            guard let bound = try inputs.optional(index, name) else { continue }
            try bound.expectSameElement(as: x)
            guard bound.type.elementCount ?? 1 == 1 else {
                throw .value(of: name, because: "has shape \(bound.type), expected a scalar")
            }
        }
        return [.tensor(x.type)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [nil] }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        let rows = try MapRows(type, cost: 1)
        let bounds = (low: call.has(1), high: call.has(2))
        switch type.element {
        case .float32: return .kernel(try floatKernel(rows, bounds, call.instructionSet))
        case .float64: return .kernel(clipKernel(rows, bounds, Double.self))
        default:
            guard let kernel = withInteger(type.element, ClipBody(rows: rows, bounds: bounds)) else {
                throw noKernel(Self.name, for: type.element)
            }
            return .kernel(kernel)
        }
    }

    private func floatKernel(
        _ rows: MapRows, _ bounds: (low: Bool, high: Bool), _ instructionSet: InstructionSet
    ) throws(Misfit) -> TileKernel {
        guard let run = try kernelTable(instructionSet).unary_f32 else {
            throw noKernel(Self.name, for: .float32)
        }
        return TileKernel(tiles: rows.tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { tile, frame in
            var shape = rows.shape(of: tile)
            let start = rows.start(of: tile)
            let low = bounds.low ? frame.input(1, as: Float.self).pointee : -.infinity
            let high = bounds.high ? frame.input(2, as: Float.self).pointee : .infinity
            run(
                DCN_UNARY_CLIP, low, high, &shape, frame.input(0, as: Float.self) + start,
                frame.output(0, as: Float.self) + start)
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 12)
    }
}

private func clipKernel<T: Comparable & ExpressibleByIntegerLiteral & Sendable>(
    _ rows: MapRows, _ bounds: (low: Bool, high: Bool), _ type: T.Type
) -> TileKernel {
    TileKernel(tiles: rows.tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { tile, frame in
        let shape = rows.shape(of: tile)
        let x = frame.input(0, as: T.self) + rows.start(of: tile)
        let y = frame.output(0, as: T.self) + rows.start(of: tile)
        let low = bounds.low ? frame.input(1, as: T.self).pointee : nil
        let high = bounds.high ? frame.input(2, as: T.self).pointee : nil
        for row in 0..<shape.rows {
            let base = row * shape.x_row
            for index in base..<base + shape.columns {
                var value = x[index]
                if let low, low > value { value = low }
                if let high, value > high { value = high }
                y[index] = value
            }
            for index in base + shape.columns..<base + shape.columns + shape.padding { y[index] = 0 }
        }
    }
}

private struct ClipBody: IntegerBody {
    let rows: MapRows
    let bounds: (low: Bool, high: Bool)
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel { clipKernel(rows, bounds, type) }
}
