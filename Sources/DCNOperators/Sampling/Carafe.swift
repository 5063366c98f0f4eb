package import DCNGraph

/// Upsampling by weights of its own for each output cell (CARAFE).
///
///     y[n, c, i, j] = Σ over u, v of x[n, c, i/r + u − k/2, j/r + v − k/2] · mask[n, (g(c)·k + u)·k + v, i, j]
///
/// Inputs: X `[N, C, H, W]`, masks `[N, k·k·groups, r·H, r·W]`. Outside is zero. Within, NaN and infinities follow
/// IEEE 754: 0 · ∞ is NaN.
package struct Carafe: Operator {
    package static let name = "Carafe"
    /// The window's extent.
    package var kernel: Int
    /// How many groups of channels have masks of their own.
    package var groups: Int
    /// By how much height and width grow.
    package var factor: Int

    package init(kernel: Int, groups: Int, factor: Int) {
        self.kernel = kernel
        self.groups = groups
        self.factor = factor
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "features", rank: 4)
        let masks = try inputs.required(1, "masks", rank: 4)
        try x.expect(ElementType.reals)
        try masks.expectSameElement(as: x)
        guard (1...255).contains(kernel) else {
            throw .attribute("kernel_size", because: "is \(kernel), expected 1 … 255")
        }
        guard (1...(1 << 20)).contains(groups), x.dimension(1).fixed.map({ $0 % groups == 0 }) ?? true else {
            throw .attribute("group_size", because: "is \(groups), expected a divisor of the channels")
        }
        guard (1...64).contains(factor) else {
            throw .attribute("scale_factor", because: "is \(factor), expected 1 … 64")
        }
        try masks.expect(kernel * kernel * groups, along: 1, because: "kernel_size² × group_size")
        try masks.expect(x.dimension(0), along: 0, because: "as features")
        for axis in 2...3 {
            if let extent = x.dimension(axis).fixed {
                try masks.expect(extent &* factor, along: axis, because: "scale_factor")
            }
        }
        let shape = Shape([x.dimension(0), x.dimension(1), masks.dimension(2), masks.dimension(3)])
        return [.tensor(TensorType(x.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.input(0).element == .float32 else {
            throw .unsupported("CARAFE on \(try call.input(0).element)")
        }
        let x = try call.extents(0)
        let (height, width) = (x[2] * factor, x[3] * factor)
        let tiling = Tiling(x[0] * x[1] * height, cost: width * kernel * kernel)
        let op = self
        return .kernel(
            TileKernel(tiles: tiling.tiles) { (tile, frame) in
                for line in tiling[tile] {
                    let (plane, i) = (line / height, line % height)
                    let group = plane % x[1] / (x[1] / op.groups)
                    let masks =
                        frame.input(1, as: Float.self)
                        + ((plane / x[1] * op.groups + group) * op.kernel * op.kernel * height + i) * width
                    let source = frame.input(0, as: Float.self) + plane * x[2] * x[3]
                    for j in 0..<width {
                        frame.output(0, as: Float.self)[line * width + j] = op.sum(
                            source, x[2], x[3], masks + j, height * width, i / op.factor, j / op.factor)
                    }
                }
            })
    }

    private func sum(
        _ plane: UnsafePointer<Float>, _ height: Int, _ width: Int, _ mask: UnsafePointer<Float>, _ step: Int,
        _ i: Int, _ j: Int
    ) -> Float {
        var sum: Float = 0
        for u in 0..<kernel {
            let row = i + u - kernel / 2
            guard row >= 0, row < height else { continue }
            for v in 0..<kernel {
                let column = j + v - kernel / 2
                guard column >= 0, column < width else { continue }
                sum += plane[row * width + column] * mask[(u * kernel + v) * step]
            }
        }
        return sum
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        (outputs.first??.tensor?.elementCount ?? 0) &* kernel &* kernel
    }
}
