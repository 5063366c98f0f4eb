internal import CKernels
package import DCNGraph

/// Channels divided by what their neighbours hold.
///
///     y = x / (bias + alpha / size · Σ x²)^beta,  over channels c − (size − 1) / 2 … c + size / 2
///
/// NaN makes all that it is a neighbour of NaN; an infinity becomes NaN, and makes its finite neighbours 0.
package struct LocalResponseNormalization: Operator {
    package static let name = "LRN"
    /// How many channels are summed.
    package var size: Int
    /// The factor of the mean of squares.
    package var alpha: Float
    /// The exponent.
    package var beta: Float
    /// The summand.
    package var bias: Float

    package init(size: Int, alpha: Float = 0.0001, beta: Float = 0.75, bias: Float = 1) {
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        guard size >= 1 else { throw .attribute("size", because: "is \(size), expected at least 1") }
        if let rank = x.rank, rank < 2 { throw .rank(of: "X", expected: "2 or more", got: rank) }
        return [.tensor(x.type)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        inputs.types.first??.tensor?.element == .float32 ? .follow(inputs: [0], outputs: [0]) : .rowMajor
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let shape = try ChannelShape(x)
        let simd = try Simd(call.instructionSet)
        switch (x.element, x.layout) {
        case (.float32, .channelsLast): return .kernel(last(shape, simd))
        case (.float32, .rowMajor) where simd.table.pointee.lrn_rows_f32 != nil:
            return .kernel(rows(shape, simd))
        case (.float32, .rowMajor): return .kernel(tiles(shape, Float.self))
        case (.float64, .rowMajor): return .kernel(tiles(shape, Double.self))
        default: throw .unsupported("LRN on \(x)")
        }
    }

    private func last(_ shape: ChannelShape, _ simd: Simd) -> TileKernel {
        let pixel = paddedChannels(shape.channels)
        let tiling = Tiling(shape.items * shape.plane, cost: pixel * 8)
        let op = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let range = tiling[tile]
            var rows = dcn_rows()
            (rows.rows, rows.columns, rows.padding) = (range.count, shape.channels, pixel - shape.channels)
            (rows.x_row, rows.y_row) = (pixel, pixel)
            simd.table.pointee.lrn_last_f32(
                &rows, op.size, op.alpha, op.beta, op.bias,
                frame.input(0, as: Float.self) + range.lowerBound * pixel,
                frame.output(0, as: Float.self) + range.lowerBound * pixel)
        }
    }

    private func rows(_ shape: ChannelShape, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(shape.plane, cost: shape.channels * 8, multipleOf: 64)
        let op = self
        return TileKernel(tiles: tiling.tiles * shape.items) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var rows = dcn_rows()
            (rows.rows, rows.columns) = (shape.channels, range.count)
            (rows.x_row, rows.y_row) = (shape.plane, shape.plane)
            let start = item * shape.channels * shape.plane + range.lowerBound
            simd.table.pointee.lrn_rows_f32(
                &rows, op.size, op.alpha, op.beta, op.bias, frame.input(0, as: Float.self) + start,
                frame.output(0, as: Float.self) + start)
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(_ shape: ChannelShape, _ type: T.Type) -> TileKernel
    {
        let tiling = Tiling(shape.rows, cost: shape.plane * (min(size, shape.channels) + 8))
        let op = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] {
                let channel = row % shape.channels
                let first = max(0, channel - (op.size - 1) / 2)
                let last = min(shape.channels - 1, channel &+ op.size / 2)
                let image = frame.input(0, as: T.self) + (row - channel) * shape.plane
                let y = frame.output(0, as: T.self) + row * shape.plane
                for index in 0..<shape.plane {
                    var sum = 0.0
                    for neighbour in first...last {
                        let value = Double(image[neighbour * shape.plane + index])
                        sum += value * value
                    }
                    let base = Double(op.bias) + Double(op.alpha) / Double(op.size) * sum
                    y[index] = T(
                        Double(image[channel * shape.plane + index]) / Elementary.pow(base, Double(op.beta)))
                }
            }
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "LRN",
            [("size", .int(size)), ("alpha", .float(alpha)), ("beta", .float(beta)), ("bias", .float(bias))])
    }
}
