package import DCNGraph

/// Ones on a diagonal and zeros elsewhere, of the shape of a matrix.
package struct EyeLike: Operator {
    package static let name = "EyeLike"
    /// The type to make; nil: that of the input.
    package var element: ElementType?
    /// Which diagonal: columns to the right of the main one.
    package var diagonal: Int
    package init(element: ElementType? = nil, diagonal: Int = 0) {
        self.element = element
        self.diagonal = diagonal
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input", rank: 2)
        let made = element ?? x.element
        guard ([ElementType].numbers + [.bool]).contains(made) else {
            throw .element(of: "the output", expected: "a number or bool", got: made)
        }
        return [.tensor(TensorType(made, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.output(0)
        let extents = try call.outputExtents(0)
        let writer = try ElementWriter(type.element)
        let (zero, one) = (writer.bits(of: 0), writer.bits(of: 1))
        let tiling = Tiling(extents[0], cost: max(1, extents[1]))
        let diagonal = diagonal
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let base = UnsafeMutableRawPointer(frame.output(0, as: UInt8.self))
                for row in tiling[tile] {
                    let (place, overflow) = row.addingReportingOverflow(diagonal)
                    for column in 0..<extents[1] {
                        let isOne = !overflow && column == place
                        writer.store(isOne ? one : zero, base, row * extents[1] + column)
                    }
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [("k", .int(diagonal))]
        if let element { attributes.append(("dtype", .int(element.rawValue))) }
        return WrittenNode(Self.name, attributes, since: 9)
    }
}
