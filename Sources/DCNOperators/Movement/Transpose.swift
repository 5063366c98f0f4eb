package import DCNGraph

/// y has axis `permutation[i]` of x as its axis i.
package struct Transpose: MovementOperator {
    package static let name = "Transpose"
    /// Nil reverses the axes.
    package var permutation: [Int]?

    package init(permutation: [Int]? = nil) { self.permutation = permutation }

    /// The permutation for a rank.
    package func axes(rank: Int) throws(Misfit) -> [Int] {
        guard let permutation else { return Array((0..<rank).reversed()) }
        guard permutation.count == rank else {
            throw .attribute("perm", because: "has \(permutation.count) axes, expected \(rank)")
        }
        return try resolvedAxes(permutation, rank: rank, name: "perm")
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        guard let shape = data.shape else {
            return [.tensor(TensorType(data.element, permutation.map { .unknown(rank: $0.count) }))]
        }
        let dimensions = try axes(rank: shape.rank).map { shape[$0] }
        return [.tensor(TensorType(data.element, Shape(dimensions)))]
    }

    package func kernel(for call: Call) throws(Misfit) -> any Kernel {
        let type = try call.input(0)
        let extents = try call.outputExtents(0)
        let order = try axes(rank: extents.count)
        let strides = type.strides
        let move = Move(
            input: 0, extents: extents, sourceStrides: order.map { strides[$0] },
            targetStrides: rowMajorStrides(extents))
        return MoveKernel(width: type.element.byteWidth, [move], on: call.instructionSet)
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard let known = inputs.knownList(0), let extents = inputs.knownExtents(0, count: known.count),
            let order = try? axes(rank: extents.count)
        else { return [nil] }
        let strides = rowMajorStrides(extents)
        return [positions(order.map { extents[$0] }, strides: order.map { strides[$0] }).map { known[$0] }]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Transpose", permutation.map { [("perm", .ints($0))] } ?? [])
    }
}
