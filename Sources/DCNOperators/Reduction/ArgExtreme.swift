internal import CKernels
package import DCNGraph

/// The index (int64) of the greatest or least element along an axis; NaN beats everything.
package struct ArgExtreme: Operator {
    package static let name = "ArgExtreme"
    /// Whether the least is looked for instead of the greatest.
    package var least: Bool
    /// The axis, negative ones from the back.
    package var axis: Int
    /// Whether the axis stays with extent 1.
    package var keepsDimensions: Bool
    /// Whether the last of equals is taken instead of the first.
    package var takesLast: Bool

    package init(least: Bool, axis: Int = 0, keepsDimensions: Bool = true, takesLast: Bool = false) {
        self.least = least
        self.axis = axis
        self.keepsDimensions = keepsDimensions
        self.takesLast = takesLast
    }

    static let elements: [ElementType] = [
        .uint8, .uint16, .uint32, .uint64, .int8, .int16, .int32, .int64, .float16, .float32, .float64,
        .bfloat16,
    ]

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "data")
        try data.expect(Self.elements)
        guard var shape = data.shape else { return [.tensor(TensorType(.int64, nil))] }
        let axis = try resolvedAxis(axis, rank: shape.rank)
        guard shape[axis] != .fixed(0) else {
            throw .extent(
                of: "data", axis: axis, expected: "at least 1", got: "0", because: "an index is wanted")
        }
        if keepsDimensions { shape[axis] = 1 } else { shape.dimensions.remove(at: axis) }
        return [.tensor(TensorType(.int64, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let axis = try resolvedAxis(axis, rank: extents.count)
        let block = ReductionPlan.Block(
            outer: extents[..<axis].reduce(1, *), middle: extents[axis],
            inner: extents[(axis + 1)...].reduce(1, *))
        switch try call.input(0).element {
        case .float32:
            let simd = try Simd(call.instructionSet)
            return .kernel(
                simd.table.pointee.arg_rows_f32 == nil ? tiles(block, Float.self) : vector(block, simd))
        case .float64: return .kernel(tiles(block, Double.self))
        case .int8: return .kernel(tiles(block, Int8.self))
        case .uint8: return .kernel(tiles(block, UInt8.self))
        case .int16: return .kernel(tiles(block, Int16.self))
        case .uint16: return .kernel(tiles(block, UInt16.self))
        case .int32: return .kernel(tiles(block, Int32.self))
        case .uint32: return .kernel(tiles(block, UInt32.self))
        case .int64: return .kernel(tiles(block, Int64.self))
        case .uint64: return .kernel(tiles(block, UInt64.self))
        case let element: throw .unsupported("\(least ? "ArgMin" : "ArgMax") on \(element)")
        }
    }

    private func vector(_ block: ReductionPlan.Block, _ simd: Simd) -> TileKernel {
        let (least, last): (Int32, Int32) = (least ? 1 : 0, takesLast ? 1 : 0)
        let isRows = block.inner == 1
        let tiling = Tiling(
            isRows ? block.outer : block.inner, cost: block.middle, multipleOf: isRows ? 1 : 64)
        return TileKernel(tiles: isRows ? tiling.tiles : tiling.tiles * block.outer) { (tile, frame) in
            let x = frame.input(0, as: Float.self)
            let y = frame.output(0, as: Int64.self)
            var shape = dcn_rows()
            let range = tiling[isRows ? tile : tile % tiling.tiles]
            if isRows {
                (shape.rows, shape.columns, shape.x_row) = (range.count, block.middle, block.middle)
                simd.table.pointee.arg_rows_f32(
                    least, last, &shape, x + range.lowerBound * block.middle, y + range.lowerBound)
            } else {
                let outer = tile / tiling.tiles
                (shape.rows, shape.columns, shape.x_row) = (block.middle, range.count, block.inner)
                simd.table.pointee.arg_columns_f32(
                    least, last, &shape, x + outer * block.middle * block.inner + range.lowerBound,
                    y + outer * block.inner + range.lowerBound)
            }
        }
    }

    private func tiles<T: Comparable & Sendable>(_ block: ReductionPlan.Block, _ type: T.Type) -> TileKernel {
        let tiling = Tiling(block.outer * block.inner, cost: block.middle)
        let op = self
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let x = frame.input(0, as: T.self)
            let y = frame.output(0, as: Int64.self)
            for index in tiling[tile] {
                let start = x + index / block.inner * block.middle * block.inner + index % block.inner
                y[index] = Int64(op.position(start, count: block.middle, stride: block.inner))
            }
        }
    }

    /// Where the extreme of `count` elements is.
    private func position<T: Comparable>(_ x: UnsafePointer<T>, count: Int, stride: Int) -> Int {
        var best = 0
        for index in 1..<max(1, count) {
            let (value, top) = (x[index * stride], x[best * stride])
            let (isNaN, topIsNaN) = (value != value, top != top)
            let beats = isNaN ? !topIsNaN : !topIsNaN && (least ? value < top : value > top)
            let equals = isNaN ? topIsNaN : value == top
            if beats || (takesLast && equals) { best = index }
        }
        return best
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("axis", .int(axis)), ("keepdims", .int(keepsDimensions ? 1 : 0)),
        ]
        if takesLast { attributes.append(("select_last_index", .int(1))) }
        return WrittenNode(least ? "ArgMin" : "ArgMax", attributes, since: takesLast ? 12 : 7)
    }
}
