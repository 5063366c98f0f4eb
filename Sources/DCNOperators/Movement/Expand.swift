package import DCNGraph

/// Repeats axes of extent 1 so that data fits `shape`, both broadcast against each other: inputs data, shape.
package struct Expand: MovementOperator {
    package static let name = "Expand"
    package init() {}

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let shape = try inputs.required(1, "shape", rank: 1)
        try shape.expect([.int64])
        guard let own = data.shape else { return [.tensor(TensorType(data.element, nil))] }
        guard let wanted = shape.dimensions else {
            let count = try shape.axisCount()
            return [.tensor(TensorType(data.element, count.map { .unknown(rank: max($0, own.rank)) }))]
        }
        return [.tensor(TensorType(data.element, try broadcast(own, wanted)))]
    }

    private func broadcast(_ own: Shape, _ wanted: [Dimension]) throws(Misfit) -> Shape {
        let rank = max(own.rank, wanted.count)
        var result: [Dimension] = []
        for axis in 0..<rank {
            let left = axis - (rank - own.rank)
            let right = axis - (rank - wanted.count)
            let from: Dimension = left < 0 ? 1 : own[left]
            let to: Dimension = right < 0 ? 1 : wanted[right]
            result.append(try broadcast(from, to, axis))
        }
        return Shape(result)
    }

    private func broadcast(_ from: Dimension, _ to: Dimension, _ axis: Int) throws(Misfit) -> Dimension {
        if let extent = to.fixed, extent < 0 {
            throw .value(of: "shape", because: "asks for \(extent) along axis \(axis)")
        }
        if from == to || to == 1 { return from }
        if from == 1 { return to }
        switch (from.fixed, to.fixed) {
        case (.some(let extent), .some(let asked)):
            throw .extent(
                of: "input", axis: axis, expected: "1 or \(asked)", got: "\(extent)", because: "of shape")
        case (.some, nil): return from
        case (nil, .some): return to
        case (nil, nil): return .unknown
        }
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let type = try call.input(0)
        let own = try call.extents(0)
        let extents = try call.outputExtents(0)
        let added = extents.count - own.count
        let strides = zip(own, type.strides).map { $0 == 1 ? 0 : $1 }
        let move = Move(
            input: 0, extents: extents, sourceStrides: [Int](repeating: 0, count: added) + strides,
            targetStrides: rowMajorStrides(extents))
        return MoveKernel(width: type.element.byteWidth, [move], on: call.instructionSet)
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let known = inputs.knownList(0), let shape = inputs.knownList(1), shape.count <= 1 else {
            return [nil]
        }
        guard known.count == 1, let extent = shape.first else {
            return [shape.first == 1 ? known : shape.isEmpty ? known : nil]
        }
        guard let count = extent.fixed, count <= 64, count >= 0 else { return [nil] }
        return [[Dimension](repeating: known[0], count: count)]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Expand", since: 8)
    }
}

/// Repeats the whole tensor `repeats[i]` times along each axis i: inputs input, repeats.
package struct Tile: MovementOperator {
    package static let name = "Tile"
    package init() {}

    package var settling: [Int] { [1] }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        let repeats = try inputs.required(1, "repeats", rank: 1)
        try repeats.expect([.int64])
        guard let shape = data.shape else {
            return [.tensor(TensorType(data.element, try repeats.axisCount().map { .unknown(rank: $0) }))]
        }
        guard let factors = repeats.dimensions else {
            return [.tensor(TensorType(data.element, .unknown(rank: shape.rank)))]
        }
        guard factors.count == shape.rank else {
            throw .value(of: "repeats", because: "holds \(factors.count) numbers, expected \(shape.rank)")
        }
        var result: [Dimension] = []
        for (extent, factor) in zip(shape.dimensions, factors) {
            if let factor = factor.fixed, factor < 0 {
                throw .value(of: "repeats", because: "holds \(factor), expected 0 or more")
            }
            result.append(.product([extent, factor]))
        }
        return [.tensor(TensorType(data.element, Shape(result)))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let type = try call.input(0)
        let own = try call.extents(0)
        let strides = type.strides
        let lying = rowMajorStrides(try call.outputExtents(0))
        let factors = try call.output(0).extents.map { zip($0, own).map { $1 == 0 ? 0 : $0 / $1 } } ?? []
        var move = Move(input: 0, extents: [], sourceStrides: [], targetStrides: [])
        for axis in own.indices {
            move.extents += [factors[axis], own[axis]]
            move.sourceStrides += [0, strides[axis]]
            move.targetStrides += [lying[axis] * own[axis], lying[axis]]
        }
        return MoveKernel(width: type.element.byteWidth, [move], on: call.instructionSet)
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let known = inputs.knownList(0), inputs.knownRank(0) == 1, let factors = inputs.knownList(1),
            factors.count == 1, let factor = factors[0].fixed, factor >= 0, factor &* known.count <= 64,
            factor <= 64
        else { return [nil] }
        return [Array(repeatElement(known, count: factor).joined())]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode { WrittenNode("Tile") }
}
