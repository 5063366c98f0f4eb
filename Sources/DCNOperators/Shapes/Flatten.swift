package import DCNGraph

/// A matrix: axes before `axis` make its rows, the others its columns.
package struct Flatten: ViewOperator {
    package static let name = "Flatten"
    /// -rank … rank.
    package var axis: Int

    package init(axis: Int = 1) { self.axis = axis }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        guard let shape = data.shape else { return [.tensor(TensorType(data.element, .unknown(rank: 2)))] }
        guard axis >= -shape.rank, axis <= shape.rank else {
            throw .attribute("axis", because: "is \(axis), expected \(-shape.rank) … \(shape.rank)")
        }
        let split = axis < 0 ? axis + shape.rank : axis
        let rows = Dimension.product(shape.dimensions[..<split])
        let columns = Dimension.product(shape.dimensions[split...])
        return [.tensor(TensorType(data.element, Shape([rows, columns])))]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Flatten", [("axis", .int(axis))], since: axis < 0 ? 11 : 7)
    }
}
