internal import CKernels
package import DCNGraph

/// One value for each channel of each item: X `[N, C, …]` to `[N, C, 1, …]`.
///
/// NaN where one is in the plane, the maximum too. Of a plane of nothing a maximum is −∞, a mean NaN, a norm 0.
package struct GlobalPool: Operator {
    package static let name = "GlobalPool"
    /// What becomes of a plane; padding there is none.
    package var pooling: Pooling

    package init(_ pooling: Pooling) { self.pooling = pooling }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        try x.expect(ElementType.reals)
        if case .norm(let order) = pooling, order < 1 {
            throw .attribute("p", because: "is \(order), expected at least 1")
        }
        guard var shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank >= 2 else { throw .rank(of: "X", expected: "2 or more", got: shape.rank) }
        for axis in 2..<max(2, shape.rank) { shape[axis] = 1 }
        return [.tensor(TensorType(x.element, shape, layout: x.type.layout))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule {
        guard let type = inputs.types.first??.tensor, type.element == .float32, reduction != nil else {
            return .rowMajor
        }
        return .follow(inputs: [0], outputs: [0])
    }

    private var reduction: ReduceKind? {
        switch pooling {
        case .maximum: .maximum
        case .average: .mean
        case .norm(1): .l1
        case .norm(2): .l2
        case .norm: nil
        }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let shape = try ChannelShape(x)
        let simd = try Simd(call.instructionSet)
        if x.element == .float32, let reduction, simd.table.pointee.reduce_rows_f32 != nil {
            let isLast = x.layout == .channelsLast
            return .kernel(isLast ? last(shape, reduction.code, simd) : rows(shape, reduction.code, simd))
        }
        switch (x.element, x.layout) {
        case (.float32, .rowMajor): return .kernel(tiles(shape, Float.self))
        case (.float64, .rowMajor): return .kernel(tiles(shape, Double.self))
        default: throw .unsupported("\(onnxName) on \(x)")
        }
    }

    private func rows(_ shape: ChannelShape, _ code: dcn_reduce, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(shape.rows, cost: shape.plane)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let range = tiling[tile]
            var rows = dcn_rows()
            (rows.rows, rows.columns, rows.x_row) = (range.count, shape.plane, shape.plane)
            simd.table.pointee.reduce_rows_f32(
                code, &rows, frame.input(0, as: Float.self) + range.lowerBound * shape.plane,
                frame.output(0, as: Float.self) + range.lowerBound)
        }
    }

    private func last(_ shape: ChannelShape, _ code: dcn_reduce, _ simd: Simd) -> TileKernel {
        let pixel = paddedChannels(shape.channels)
        let tiling = Tiling(shape.channels, cost: shape.plane, multipleOf: 64)
        return TileKernel(tiles: shape.items * tiling.tiles) { (tile, frame) in
            let (item, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var rows = dcn_rows()
            (rows.rows, rows.columns, rows.x_row) = (shape.plane, range.count, pixel)
            rows.padding = range.upperBound == shape.channels ? pixel - shape.channels : 0
            simd.table.pointee.reduce_columns_f32(
                code, &rows, frame.input(0, as: Float.self) + item * shape.plane * pixel + range.lowerBound,
                frame.output(0, as: Float.self) + item * pixel + range.lowerBound)
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(_ shape: ChannelShape, _ type: T.Type) -> TileKernel
    {
        let tiling = Tiling(shape.rows, cost: shape.plane)
        let runs = StridedRuns(extents: [shape.plane], strides: [1])
        let (pooling, reduction) = (pooling, reduction)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for row in tiling[tile] {
                let x = frame.input(0, as: T.self) + row * shape.plane
                if let reduction {
                    frame.output(0, as: T.self)[row] = reduction.floating(runs, x)
                } else if case .norm(let order) = pooling {
                    let sum = runs.fold(x, 0.0) { $0 += Elementary.pow(abs(Double($1)), Double(order)) }
                    frame.output(0, as: T.self)[row] = T(Elementary.pow(sum, 1 / Double(order)))
                }
            }
        }
    }

    private var onnxName: String {
        switch pooling {
        case .maximum: "GlobalMaxPool"
        case .average: "GlobalAveragePool"
        case .norm: "GlobalLpPool"
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard case .norm(let order) = pooling else { return WrittenNode(onnxName) }
        return WrittenNode(onnxName, [("p", .int(order))])
    }
}
