internal import CKernels
internal import DCNGraph

extension BatchNormalization {
    /// Factor and summand that stand for the statistics of one channel.
    struct Affine: Sendable {
        let elements: [ElementType]
        let epsilon: Double

        func callAsFunction(_ frame: Frame, _ channel: Int) -> (factor: Double, summand: Double) {
            let scale = Reals(frame, 1, elements[1])[channel]
            let bias = Reals(frame, 2, elements[2])[channel]
            let mean = Reals(frame, 3, elements[3])[channel]
            let variance = Reals(frame, 4, elements[4])[channel]
            let factor = scale / (variance + epsilon).squareRoot()
            return (factor, bias - mean * factor)
        }
    }

    func rows(_ shape: ChannelShape, _ elements: [ElementType], _ simd: Simd) -> TileKernel {
        let tiling = Tiling(shape.rows, cost: shape.plane)
        let affine = Affine(elements: elements, epsilon: Double(epsilon))
        let inPlace = [InPlace(output: 0, input: 0)]
        return TileKernel(tiles: tiling.tiles, scratch: tiling.grain * 8, inPlace: inPlace) { (tile, frame) in
            let range = tiling[tile]
            let scale = frame.scratch(as: Float.self)
            let shift = scale + tiling.grain
            for row in range {
                let (factor, summand) = affine(frame, row % shape.channels)
                scale[row - range.lowerBound] = Float(factor)
                shift[row - range.lowerBound] = Float(summand)
            }
            var rows = dcn_rows()
            (rows.rows, rows.columns) = (range.count, shape.plane)
            (rows.x_row, rows.y_row) = (shape.plane, shape.plane)
            let start = range.lowerBound * shape.plane
            simd.table.pointee.scale_shift_rows_f32(
                DCN_UNARY_IDENTITY, 0, 0, &rows, frame.input(0, as: Float.self) + start, scale, shift,
                frame.output(0, as: Float.self) + start)
        }
    }

    func columns(_ shape: ChannelShape, _ type: TensorType, _ elements: [ElementType], _ simd: Simd)
        -> TileKernel
    {
        let pixel = type.layout == .channelsLast ? paddedChannels(shape.channels) : shape.channels
        let tiling = Tiling(shape.items * shape.plane, cost: pixel)
        let affine = Affine(elements: elements, epsilon: Double(epsilon))
        let inPlace = [InPlace(output: 0, input: 0)]
        return TileKernel(tiles: tiling.tiles, scratch: pixel * 8, inPlace: inPlace) { (tile, frame) in
            let range = tiling[tile]
            let scale = frame.scratch(as: Float.self)
            let shift = scale + pixel
            for channel in 0..<shape.channels {
                let (factor, summand) = affine(frame, channel)
                (scale[channel], shift[channel]) = (Float(factor), Float(summand))
            }
            var rows = dcn_rows()
            (rows.rows, rows.columns, rows.padding) = (range.count, shape.channels, pixel - shape.channels)
            (rows.x_row, rows.y_row) = (pixel, pixel)
            let start = range.lowerBound * pixel
            simd.table.pointee.scale_shift_columns_f32(
                DCN_UNARY_IDENTITY, 0, 0, &rows, frame.input(0, as: Float.self) + start, scale, shift,
                frame.output(0, as: Float.self) + start)
        }
    }

    func plain<T: BinaryFloatingPoint & Sendable>(
        _ shape: ChannelShape, _ elements: [ElementType], _ type: T.Type
    ) -> TileKernel {
        let tiling = Tiling(shape.rows, cost: shape.plane)
        let affine = Affine(elements: elements, epsilon: Double(epsilon))
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            for row in tiling[tile] {
                let (factor, summand) = affine(frame, row % shape.channels)
                let x = frame.input(0, as: T.self) + row * shape.plane
                let y = frame.output(0, as: T.self) + row * shape.plane
                for index in 0..<shape.plane { y[index] = T(Double(x[index]) * factor + summand) }
            }
        }
    }

    /// Statistics of the batch, one tile for each channel.
    func training<T: BinaryFloatingPoint & Sendable>(
        _ shape: ChannelShape, _ elements: [ElementType], outputs: Int, _ type: T.Type
    ) -> TileKernel {
        let runs = StridedRuns(
            extents: [shape.items, shape.plane], strides: [shape.channels * shape.plane, 1])
        let (epsilon, momentum) = (Double(epsilon), Double(momentum))
        return TileKernel(tiles: shape.channels) { (channel, frame) in
            let x = frame.input(0, as: T.self) + channel * shape.plane
            let y = frame.output(0, as: T.self) + channel * shape.plane
            let count = Double(runs.count)
            let mean = runs.fold(x, 0.0) { $0 += Double($1) } / count
            let variance = runs.fold(x, 0.0) { $0 += (Double($1) - mean) * (Double($1) - mean) } / count
            let factor = Reals(frame, 1, elements[1])[channel] / (variance + epsilon).squareRoot()
            let summand = Reals(frame, 2, elements[2])[channel] - mean * factor
            for index in 0..<runs.count {
                let offset = runs.offset(of: index)
                y[offset] = T(Double(x[offset]) * factor + summand)
            }
            for (output, batch) in [(1, mean), (2, variance)] where output < outputs {
                let given = Reals(frame, output + 2, elements[output + 2])[channel]
                let moved = given * momentum + batch * (1 - momentum)
                if elements[output + 2] == .float64 {
                    frame.optionalOutput(output, as: Double.self)?[channel] = moved
                } else {
                    frame.optionalOutput(output, as: Float.self)?[channel] = Float(moved)
                }
            }
        }
    }
}
