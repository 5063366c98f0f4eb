package import DCNGraph

/// Drops axes of extent 1: those that input 1 names, else all.
package struct Squeeze: ViewOperator {
    package static let name = "Squeeze"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let axes = try inputs.optional(1, "axes")
        try axes?.expect([.int64])
        try axes?.expectListOrScalar()
        return [.tensor(TensorType(data.element, try squeezed(data, axes)))]
    }

    private func squeezed(_ data: Operand, _ axes: Operand?) throws(Misfit) -> Shape? {
        guard let shape = data.shape else { return nil }
        guard let axes else {
            let allKnown = shape.dimensions.allSatisfy { $0.fixed != nil }
            return allKnown ? Shape(shape.dimensions.filter { $0 != 1 }) : nil
        }
        guard let integers = axes.integers else {
            return axes.length.flatMap { $0 <= shape.rank ? .unknown(rank: shape.rank - $0) : nil }
        }
        let dropped = try resolvedAxes(integers, rank: shape.rank)
        for axis in dropped { try data.expect(1, along: axis, because: "it is squeezed") }
        return Shape(shape.dimensions.indices.filter { !dropped.contains($0) }.map { shape[$0] })
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [inputs.knownList(0)] }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Squeeze", since: inputs.has(1) ? 13 : 7)
    }
}

/// Adds axes of extent 1 so that input 1 names them in the result.
package struct Unsqueeze: ViewOperator {
    package static let name = "Unsqueeze"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        let axes = try inputs.required(1, "axes")
        try axes.expect([.int64])
        try axes.expectListOrScalar()
        guard let shape = data.shape, let count = try axes.axisCount() else {
            return [.tensor(TensorType(data.element, nil))]
        }
        let rank = shape.rank + count
        guard let integers = axes.integers else {
            return [.tensor(TensorType(data.element, .unknown(rank: rank)))]
        }
        let added = try resolvedAxes(integers, rank: rank)
        var rest = shape.dimensions.makeIterator()
        let dimensions = (0..<rank).map { added.contains($0) ? .fixed(1) : rest.next() ?? .unknown }
        return [.tensor(TensorType(data.element, Shape(dimensions)))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let known = inputs.knownList(0), known.count == 1 else { return [nil] }
        return [known]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Unsqueeze", since: 13)
    }
}
