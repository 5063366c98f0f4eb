package import DCNGraph

/// Means of parts of the plane, as many as are wanted (PyTorch's adaptive_avg_pool2d).
///
///     y[n, c, i, j] = mean of x[n, c] over rows ⌊i·H / height⌋ … ⌈(i + 1)·H / height⌉ − 1, and columns alike
///
/// Parts are taken by products with shares that are mostly 0, so where something is not finite no mean of its plane is.
/// Those of a plane of nothing are 0.
package struct AdaptiveAveragePool: Composite {
    package static let name = "AdaptiveAveragePool"
    /// Rows and columns that come out.
    package var height: Int, width: Int

    package init(height: Int, width: Int) {
        self.height = height
        self.width = width
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "x", rank: 4)
        try x.expect(ElementType.reals + [.float16, .bfloat16])
        guard (1...(1 << 16)).contains(height), (1...(1 << 16)).contains(width) else {
            throw .value(of: "output_size", because: "is \(height) × \(width), expected 1 … \(1 << 16)")
        }
        return [
            .tensor(
                TensorType(x.element, Shape([x.dimension(0), x.dimension(1), .fixed(height), .fixed(width)])))
        ]
    }
}
