internal import CKernels
internal import DCNGraph

extension Reduce {
    /// float32 over neighbouring axes: rows where they are last, else columns.
    func vectorKernel(_ plan: ReductionPlan, _ call: Call) throws(Misfit) -> TileKernel? {
        let simd = try Simd(call.instructionSet)
        guard let block = plan.block, block.middle > 0, simd.table.pointee.reduce_rows_f32 != nil else {
            return nil
        }
        let code = reduction.code
        return block.inner == 1 ? rows(block, code, simd) : columns(block, code, simd)
    }

    private func rows(_ block: ReductionPlan.Block, _ code: dcn_reduce, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(block.outer, cost: block.middle)
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let range = tiling[tile]
            var shape = dcn_rows()
            shape.rows = range.count
            shape.columns = block.middle
            shape.x_row = block.middle
            simd.table.pointee.reduce_rows_f32(
                code, &shape, frame.input(0, as: Float.self) + range.lowerBound * block.middle,
                frame.output(0, as: Float.self) + range.lowerBound)
        }
    }

    private func columns(_ block: ReductionPlan.Block, _ code: dcn_reduce, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(block.inner, cost: block.middle, multipleOf: 64)
        return TileKernel(tiles: block.outer * tiling.tiles) { (tile, frame) in
            let (outer, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var shape = dcn_rows()
            shape.rows = block.middle
            shape.columns = range.count
            shape.x_row = block.inner
            simd.table.pointee.reduce_columns_f32(
                code, &shape,
                frame.input(0, as: Float.self) + outer * block.middle * block.inner + range.lowerBound,
                frame.output(0, as: Float.self) + outer * block.inner + range.lowerBound)
        }
    }

    /// Any type over any axes, one result after the other.
    func scalarKernel(_ plan: ReductionPlan, element: ElementType) throws(Misfit) -> TileKernel {
        switch element {
        case .float32: tiles(plan, Float.self) { $0.floating($1, $2) }
        case .float64: tiles(plan, Double.self) { $0.floating($1, $2) }
        case .int8: tiles(plan, Int8.self) { $0.integer($1, $2) }
        case .uint8: tiles(plan, UInt8.self) { $0.integer($1, $2) }
        case .int32: tiles(plan, Int32.self) { $0.integer($1, $2) }
        case .uint32: tiles(plan, UInt32.self) { $0.integer($1, $2) }
        case .int64: tiles(plan, Int64.self) { $0.integer($1, $2) }
        case .uint64: tiles(plan, UInt64.self) { $0.integer($1, $2) }
        case .bool: tiles(plan, UInt8.self) { $0.integer($1, $2, greatest: 1) }
        default: throw .unsupported("\(reduction.onnxName) on \(element)")
        }
    }

    private func tiles<T>(
        _ plan: ReductionPlan, _ type: T.Type,
        _ combine: @escaping @Sendable (ReduceKind, StridedRuns, UnsafePointer<T>) -> T
    ) -> TileKernel {
        let tiling = Tiling(plan.kept.count, cost: plan.reduced.count)
        let reduction = reduction
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            let x = frame.input(0, as: T.self)
            let y = frame.output(0, as: T.self)
            for index in tiling[tile] {
                y[index] = combine(reduction, plan.reduced, x + plan.kept.offset(of: index))
            }
        }
    }
}

extension ReduceKind {
    /// The reduction of floats, summed in double precision.
    func floating<T: BinaryFloatingPoint>(_ runs: StridedRuns, _ x: UnsafePointer<T>) -> T {
        let count = Double(runs.count)
        switch self {
        case .sum: return T(runs.fold(x, 0.0) { $0 += Double($1) })
        case .mean: return T(runs.fold(x, 0.0) { $0 += Double($1) } / count)
        case .maximum: return runs.fold(x, -T.infinity) { if $1 > $0 || $1.isNaN { $0 = $1 } }
        case .minimum: return runs.fold(x, T.infinity) { if $1 < $0 || $1.isNaN { $0 = $1 } }
        case .product: return T(runs.fold(x, 1.0) { $0 *= Double($1) })
        case .sumSquare: return T(runs.fold(x, 0.0) { $0 += Double($1) * Double($1) })
        case .l1: return T(runs.fold(x, 0.0) { $0 += abs(Double($1)) })
        case .l2: return T(runs.fold(x, 0.0) { $0 += Double($1) * Double($1) }.squareRoot())
        case .logSum: return T(Elementary.log(runs.fold(x, 0.0) { $0 += Double($1) }))
        case .logSumExp:
            let greatest = Double(runs.fold(x, -T.infinity) { if $1 > $0 || $1.isNaN { $0 = $1 } })
            guard greatest.isFinite else { return T(greatest) }
            return T(
                greatest + Elementary.log(runs.fold(x, 0.0) { $0 += Elementary.exp(Double($1) - greatest) }))
        }
    }

    /// The reduction of integers: sums wrap, fractions are cut.
    func integer<T: FixedWidthInteger>(
        _ runs: StridedRuns, _ x: UnsafePointer<T>, greatest: T = .max
    ) -> T {
        switch self {
        case .sum: return runs.fold(x, 0) { $0 &+= $1 }
        case .mean:
            let total = runs.fold(x, Int64(0)) { $0 &+= Int64(truncatingIfNeeded: $1) }
            return runs.count == 0 ? 0 : mean(total, of: runs.count)
        case .maximum: return runs.fold(x, T.min) { $0 = max($0, $1) }
        case .minimum: return runs.fold(x, greatest) { $0 = min($0, $1) }
        case .product: return runs.fold(x, 1) { $0 &*= $1 }
        case .sumSquare: return runs.fold(x, 0) { $0 &+= $1 &* $1 }
        case .l1: return runs.fold(x, 0) { $0 = $1 < 0 ? $0 &- $1 : $0 &+ $1 }
        case .l2: return T(saturating: runs.fold(x, 0.0) { $0 += Double($1) * Double($1) }.squareRoot())
        case .logSum: return T(saturating: Elementary.log(runs.fold(x, 0.0) { $0 += Double($1) }))
        case .logSumExp:
            let top = Double(runs.fold(x, T.min) { $0 = max($0, $1) })
            return T(
                saturating: top + Elementary.log(runs.fold(x, 0.0) { $0 += Elementary.exp(Double($1) - top) })
            )
        }
    }

    private func mean<T: FixedWidthInteger>(_ total: Int64, of count: Int) -> T {
        T.isSigned || T.bitWidth < 64
            ? T(truncatingIfNeeded: total / Int64(count))
            : T(truncatingIfNeeded: UInt64(bitPattern: total) / UInt64(count))
    }
}

extension FixedWidthInteger {
    /// A real cut toward zero, the nearest bound beyond the range, 0 for NaN.
    init(saturating value: Double) {
        if let exact = Self(exactly: value.rounded(.towardZero)) {
            self = exact
        } else {
            self = value.isNaN ? 0 : value < 0 ? .min : .max
        }
    }
}
