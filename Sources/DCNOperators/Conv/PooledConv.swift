package import DCNGraph

/// The maximum pooling of a packed convolution's results, which need not be written out in between.
///
///     y = maxPool(conv(x, weight, bias))
///
/// Inputs: as of `Conv` in a form that reads planes, without a residual: x [N, C, H, W] row-major, weight, bias?. Output: as of
/// `Pool`, channels last. The answer is that of the two operators one after the other, bit by bit.
package struct PooledConv: Operator {
    package static let name = "PooledConv"
    /// The convolution.
    package var convolution: Conv
    /// The window of the maximum.
    package var window: PoolWindow

    /// Cells of a window along one axis: each step computes as many rows of results.
    private static let largest = 16

    package init(_ convolution: Conv = Conv(), _ window: PoolWindow = PoolWindow(kernel: [1, 1])) {
        self.convolution = convolution
        self.window = window
    }

    /// Whether there is a kernel for the two: a first layer, and a small window over two axes.
    package var isSupported: Bool {
        convolution.packed?.readsPlanes == true && convolution.packed?.extents.count == 4
            && convolution.resultLayout != .rowMajor && window.kernel.count == 2
            && window.kernel.allSatisfy { 1...Self.largest ~= $0 } && window.dilations.allSatisfy { $0 == 1 }
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        guard isSupported else { throw .unsupported("pooling with any but a first layer") }
        guard !inputs.has(3) else { throw .unsupported("a residual before pooling") }
        let results = try convolution.outputTypes(for: inputs)
        return try Pool(.maximum, window).outputTypes(for: Inputs(results))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .kernel(try PooledConvKernel(self, call))
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .channelsLast(inputs: [], outputs: [0]) }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        let results = try? convolution.outputTypes(for: Inputs(inputs))
        return convolution.multiplyAdds(inputs: inputs, outputs: results ?? [nil])
    }
}
