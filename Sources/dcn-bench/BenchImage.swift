import DCN

/// What the taps of a layer read, by the formula; positions are in float32, as the kernels have them.
struct BenchImage {
    private let x: [Float]
    /// Of deformable layers.
    private let offset: [Float]?, mask: [Float]?
    private let input: [Int], output: [Int]
    private let kernel: Int, stride: Int, dilation: Int, pad: Int, offsetGroups: Int

    /// `operands`: x, weights, bias, then offset and mask, row-major.
    init(_ bench: Case, _ operands: [Tensor]) {
        x = Array(operands[0].elements(as: Float.self))
        offset = operands.count > 3 ? Array(operands[3].elements(as: Float.self)) : nil
        mask = operands.count > 4 ? Array(operands[4].elements(as: Float.self)) : nil
        (input, output) = (bench.input, bench.output)
        (kernel, stride, dilation) = (bench.kernel, bench.stride, bench.dilation)
        (pad, offsetGroups) = (bench.pad, bench.offsetGroups)
    }

    /// What a tap of the output at `place` reads of a channel, times its mask.
    func value(at place: Int, tap: Int, channel: Int) -> Double {
        let pixels = output[2] * output[3], pixel = place % pixels, image = place / (pixels * output[1])
        let row = pixel / output[3] * stride - pad + tap / kernel * dilation
        let column = pixel % output[3] * stride - pad + tap % kernel * dilation
        let plane = image * input[1] + channel
        guard let offset else { return corner(plane, row, column) }
        let taps = kernel * kernel, group = channel / (input[1] / offsetGroups)
        let entry = (image * offsetGroups + group) * taps + tap
        let y = Float(row) + offset[2 * entry * pixels + pixel]
        let x = Float(column) + offset[(2 * entry + 1) * pixels + pixel]
        let factor = mask.map { Double($0[entry * pixels + pixel]) } ?? 1
        return factor * between(plane, y, x)
    }

    private func between(_ plane: Int, _ y: Float, _ x: Float) -> Double {
        let low = (y.rounded(.down), x.rounded(.down))
        let part = (Double(y - low.0), Double(x - low.1))
        let (row, column) = (Int(low.0), Int(low.1))
        let above = corner(plane, row, column) * (1 - part.1) + corner(plane, row, column + 1) * part.1
        let below =
            corner(plane, row + 1, column) * (1 - part.1) + corner(plane, row + 1, column + 1) * part.1
        return above * (1 - part.0) + below * part.0
    }

    /// A pixel of a plane, zero outside.
    private func corner(_ plane: Int, _ row: Int, _ column: Int) -> Double {
        guard row >= 0, column >= 0, row < input[2], column < input[3] else { return 0 }
        return Double(x[(plane * input[2] + row) * input[3] + column])
    }
}
