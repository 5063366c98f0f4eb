package import DCNGraph

/// Gives what it takes.
package struct Identity: Operator {
    package static let name = "Identity"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        [try inputs.requiredValue(0, "input")]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let type = call.inputs.first??.tensor, let count = type.byteCount, type.element != .string
        else {
            return .routine(ValueRoutine { (values, _) throws(Misfit) in [values[0]] })
        }
        return .kernel(copyKernel(byteCount: count))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [inputs.knownDimensions.first ?? nil] }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name)
    }
}

/// A kernel whose output has the bytes of its first input; where both lie at one place nothing is moved.
func copyKernel(byteCount: Int) -> TileKernel {
    let tiling = Tiling(byteCount, target: 1 << 16)
    return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { tile, frame in
        let range = tiling[tile]
        let source = frame.input(0, as: UInt8.self) + range.lowerBound
        let target = frame.output(0, as: UInt8.self) + range.lowerBound
        if UnsafePointer(target) != source { target.update(from: source, count: range.count) }
    }
}
