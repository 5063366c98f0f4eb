internal import CKernels
internal import DCNGraph

/// Normalisation of dense rows with scale and bias broadcast to them.
struct RowNormalization: Sendable {
    let rows, columns: Int
    let epsilon: Float
    let isSimplified: Bool
    /// Where scale and bias lie, as boxes over all elements of X; nil where bias is left out.
    let scale: StridedRuns
    let bias: StridedRuns?
    /// Whether scale and bias are one dense row.
    let isDense: Bool
    /// How many outputs there are.
    let outputs: Int

    init(_ op: LayerNormalization, _ call: Call) throws(Misfit) {
        let extents = try call.extents(0)
        let first = try resolvedAxis(op.axis, rank: extents.count)
        rows = extents[..<first].reduce(1, *)
        columns = extents[first...].reduce(1, *)
        epsilon = op.epsilon
        outputs = call.outputs.count
        isSimplified = op.isSimplified
        let normal = Array(extents[first...])
        let (scaleExtents, biasExtents) = (try call.extents(1), call.has(2) ? try call.extents(2) : nil)
        scale = Self.broadcast(scaleExtents, to: extents)
        bias = biasExtents.map { Self.broadcast($0, to: extents) }
        isDense = [scaleExtents, biasExtents ?? normal].allSatisfy { own in
            let trimmed = Array(own.drop { $0 == 1 })
            return trimmed == Array(normal.drop { $0 == 1 })
        }
    }

    private static func broadcast(_ own: [Int], to extents: [Int]) -> StridedRuns {
        let dense = rowMajorStrides(own)
        let missing = extents.count - own.count
        let strides = extents.indices.map { $0 < missing || own[$0 - missing] == 1 ? 0 : dense[$0 - missing] }
        return StridedRuns(extents: extents, strides: strides)
    }

    func vectorKernel(_ elements: [ElementType], _ call: Call) throws(Misfit) -> TileKernel? {
        let simd = try Simd(call.instructionSet)
        guard isDense, columns > 0, elements.allSatisfy({ $0 == .float32 }),
            simd.table.pointee.layer_norm_rows_f32 != nil
        else { return nil }
        let wantsFactor = isSimplified && call.outputs.count > 1 && call.outputs[1] != nil
        guard !wantsFactor else { return nil }
        let tiling = Tiling(rows, cost: columns * 4)
        let plan = self
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            let range = tiling[tile]
            plan.run(
                simd, range.count, frame.input(0, as: Float.self) + range.lowerBound * plan.columns,
                scale: frame.input(1, as: Float.self),
                bias: plan.bias == nil ? nil : frame.optionalInput(2, as: Float.self),
                frame.output(0, as: Float.self) + range.lowerBound * plan.columns,
                mean: plan.isSimplified ? nil : plan.statistic(frame, 1).map { $0 + range.lowerBound },
                factor: plan.isSimplified ? nil : plan.statistic(frame, 2).map { $0 + range.lowerBound })
        }
    }

    /// Normalises dense rows of float32.
    func run(
        _ simd: Simd, _ count: Int, _ x: UnsafePointer<Float>, scale: UnsafePointer<Float>?,
        bias: UnsafePointer<Float>?, _ y: UnsafeMutablePointer<Float>, mean: UnsafeMutablePointer<Float>?,
        factor: UnsafeMutablePointer<Float>?
    ) {
        var shape = dcn_rows()
        (shape.rows, shape.columns, shape.x_row, shape.y_row) = (count, columns, columns, columns)
        if isSimplified {
            simd.table.pointee.rms_norm_rows_f32(&shape, epsilon, x, scale, y)
        } else {
            simd.table.pointee.layer_norm_rows_f32(&shape, epsilon, x, scale, bias, y, mean, factor)
        }
    }

    /// Any types, scale and bias broadcast in any way.
    func kernel<T: BinaryFloatingPoint & Sendable, Y: BinaryFloatingPoint & Sendable>(
        _ elements: [ElementType], _ input: T.Type, _ output: Y.Type
    ) -> TileKernel {
        let tiling = Tiling(rows, cost: columns * 8)
        let plan = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let scales = Reals(frame, 1, elements[1])
            let biases = plan.bias.map { ($0, Reals(frame, 2, elements[2])) }
            for row in tiling[tile] {
                let start = row * plan.columns
                let (mean, factor) = plan.statistics(frame.input(0, as: T.self) + start)
                let (x, y) = (frame.input(0, as: T.self), frame.output(0, as: Y.self))
                for index in start..<(start + plan.columns) {
                    let value = (Double(x[index]) - mean) * factor * scales[plan.scale.offset(of: index)]
                    y[index] = Y(value + (biases.map { $1[$0.offset(of: index)] } ?? 0))
                }
                if !plan.isSimplified { plan.statistic(frame, 1)?[row] = Float(mean) }
                plan.statistic(frame, plan.isSimplified ? 1 : 2)?[row] = Float(factor)
            }
        }
    }

    private func statistics<T: BinaryFloatingPoint>(_ x: UnsafePointer<T>) -> (mean: Double, factor: Double) {
        let runs = StridedRuns(extents: [columns], strides: [1])
        let mean = isSimplified ? 0 : runs.fold(x, 0.0) { $0 += Double($1) } / Double(columns)
        let variance = runs.fold(x, 0.0) { $0 += (Double($1) - mean) * (Double($1) - mean) } / Double(columns)
        return (mean, 1 / (variance + Double(epsilon)).squareRoot())
    }

    /// Where an output of statistics lies, where anybody wants it.
    private func statistic(_ frame: Frame, _ index: Int) -> UnsafeMutablePointer<Float>? {
        index < outputs ? frame.optionalOutput(index, as: Float.self) : nil
    }
}
