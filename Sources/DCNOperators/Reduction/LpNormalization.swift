package import DCNGraph

/// `y = x / (Σ |x|^p)^(1/p)` along an axis; 0 where the norm is 0.
///
/// NaN makes its whole line NaN; an infinity becomes NaN, and the rest of its line 0.
package struct LpNormalization: Operator {
    package static let name = "LpNormalization"
    /// The axis, negative ones from the back.
    package var axis: Int
    /// The order of the norm, 1 or 2.
    package var order: Int

    package init(axis: Int = -1, order: Int = 2) {
        self.axis = axis
        self.order = order
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect([.float16, .float32, .float64, .bfloat16])
        guard order == 1 || order == 2 else { throw .attribute("p", because: "is \(order), expected 1 or 2") }
        if let rank = x.rank { _ = try resolvedAxis(axis, rank: rank) }
        return [.tensor(TensorType(x.element, x.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let axis = try resolvedAxis(axis, rank: extents.count)
        let block = ReductionPlan.Block(
            outer: extents[..<axis].reduce(1, *), middle: extents[axis],
            inner: extents[(axis + 1)...].reduce(1, *))
        switch try call.input(0).element {
        case .float32: return .kernel(tiles(block, Float.self))
        case .float64: return .kernel(tiles(block, Double.self))
        case let element: throw .unsupported("LpNormalization on \(element)")
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(
        _ block: ReductionPlan.Block, _ type: T.Type
    ) -> TileKernel {
        let tiling = Tiling(block.outer * block.inner, cost: block.middle * 2)
        let order = order
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            for index in tiling[tile] {
                let start = index / block.inner * block.middle * block.inner + index % block.inner
                let (x, y) = (frame.input(0, as: T.self) + start, frame.output(0, as: T.self) + start)
                let runs = StridedRuns(extents: [block.middle], strides: [block.inner])
                let sum = runs.fold(x, 0.0) { $0 += order == 1 ? abs(Double($1)) : Double($1) * Double($1) }
                let norm = order == 1 ? sum : sum.squareRoot()
                for row in 0..<block.middle {
                    y[row * block.inner] = norm == 0 ? 0 : T(Double(x[row * block.inner]) / norm)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("LpNormalization", [("axis", .int(axis)), ("p", .int(order))])
    }
}

/// `y = (x − mean) / (√variance + 10⁻⁹)` over some axes. What is not finite makes all that is
/// normalised with it NaN.
package struct MeanVarianceNormalization: Operator {
    package static let name = "MeanVarianceNormalization"
    /// The axes that mean and variance are of.
    package var axes: [Int]

    package init(axes: [Int] = [0, 2, 3]) { self.axes = axes }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect([.float16, .float32, .float64, .bfloat16])
        if let rank = x.rank { for axis in axes { _ = try resolvedAxis(axis, rank: rank, name: "axes") } }
        return [.tensor(TensorType(x.element, x.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        var reduced: Set<Int> = []
        for axis in axes { reduced.insert(try resolvedAxis(axis, rank: extents.count, name: "axes")) }
        let plan = ReductionPlan(extents: extents, axes: reduced)
        switch try call.input(0).element {
        case .float32: return .kernel(tiles(plan, Float.self))
        case .float64: return .kernel(tiles(plan, Double.self))
        case let element: throw .unsupported("MeanVarianceNormalization on \(element)")
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(_ plan: ReductionPlan, _ type: T.Type) -> TileKernel
    {
        let tiling = Tiling(plan.kept.count, cost: plan.reduced.count * 3)
        let count = Double(plan.reduced.count)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for index in tiling[tile] {
                let start = plan.kept.offset(of: index)
                let (x, y) = (frame.input(0, as: T.self) + start, frame.output(0, as: T.self) + start)
                let mean = plan.reduced.fold(x, 0.0) { $0 += Double($1) } / count
                let variance =
                    plan.reduced.fold(x, 0.0) { $0 += (Double($1) - mean) * (Double($1) - mean) } / count
                let factor = 1 / (variance.squareRoot() + 1e-9)
                for element in 0..<plan.reduced.count {
                    let offset = plan.reduced.offset(of: element)
                    y[offset] = T((Double(x[offset]) - mean) * factor)
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("MeanVarianceNormalization", [("axes", .ints(axes))], since: 9)
    }
}
