package import DCNGraph

/// The same bits seen as another element type of the same width.
package struct BitCast: Operator {
    package static let name = "BitCast"
    /// The type to see.
    package var to: ElementType
    package init(to: ElementType) { self.to = to }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        guard x.element != .string, x.element.bitWidth == to.bitWidth, x.element.isSixBit == to.isSixBit
        else {
            throw .element(of: "input", expected: "a type of \(to.bitWidth) bits as \(to)", got: x.element)
        }
        return [.tensor(TensorType(to, x.type.shape, layout: x.type.layout))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let count = try call.input(0).byteCount else { throw .missing("the shape of input") }
        return .kernel(copyKernel(byteCount: count))
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("to", .int(to.rawValue))], since: 26)
    }
}
