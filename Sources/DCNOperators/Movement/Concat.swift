package import DCNGraph

/// Its inputs, one after another along `axis`.
package struct Concat: MovementOperator {
    package static let name = "Concat"
    /// -rank … rank - 1.
    package var axis: Int

    package init(axis: Int) { self.axis = axis }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let first = try inputs.required(0, "input 0")
        var shape = first.shape
        var lengths = [first.dimensionFromEnds(axis)]
        for index in 1..<max(1, inputs.count) {
            let operand = try inputs.required(index, "input \(index)")
            try operand.expectSameElement(as: first)
            lengths.append(operand.dimensionFromEnds(axis))
            shape = try merged(shape, operand)
        }
        if var result = shape {
            result[try resolvedAxis(axis, rank: result.rank)] = .sum(lengths)
            shape = result
        }
        return [.tensor(TensorType(first.element, shape, layout: first.type.layout))]
    }

    private func merged(_ shape: Shape?, _ operand: Operand) throws(Misfit) -> Shape? {
        guard let shape, let own = operand.shape else { return shape ?? operand.shape }
        try operand.expectRank(shape.rank)
        let along = try resolvedAxis(axis, rank: shape.rank)
        var result = shape
        for index in 0..<shape.rank where index != along {
            try operand.expect(shape[index], along: index, because: "as the inputs before it")
            result[index] = shape[index].refined(by: own[index])
        }
        return result
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let output = try call.output(0)
        let along = try resolvedAxis(axis, rank: try call.outputExtents(0).count)
        let lying = output.strides
        var moves: [Move] = []
        var start = 0
        for index in call.inputs.indices {
            let extents = try call.extents(index)
            moves.append(
                Move(
                    input: index, target: start * lying[along], extents: extents,
                    sourceStrides: try call.input(index).strides, targetStrides: lying))
            start += extents[along]
        }
        if let padding = output.paddingMove(output: 0) { moves.append(padding) }
        return MoveKernel(width: output.element.byteWidth, moves, on: call.instructionSet)
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        .follow(inputs: Set(0..<inputs.count), outputs: [0])
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        var all: [Dimension] = []
        for index in 0..<inputs.count {
            guard inputs.knownRank(index) == 1, let known = inputs.knownList(index) else { return [nil] }
            all += known
        }
        return [all.count <= 64 ? all : nil]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Concat", [("axis", .int(axis))], since: axis < 0 ? 11 : 7)
    }
}

extension Operand {
    /// The extent along an axis counted from either end; unknown where the rank is, or outside it.
    func dimensionFromEnds(_ axis: Int) -> Dimension {
        guard let shape else { return .unknown }
        let index = axis < 0 ? axis + shape.rank : axis
        return shape.dimensions.indices.contains(index) ? shape[index] : .unknown
    }
}
