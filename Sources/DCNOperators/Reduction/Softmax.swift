internal import CKernels
package import DCNGraph

/// Shares of a whole along an axis.
///
///     softmax: e^x / Σ e^x      logSoftmax: x − ln Σ e^x      hardmax: 1 at the first greatest element, else 0
///
/// Beside NaN or +∞, and where all elements are −∞, all results of softmax and logSoftmax are NaN.
package struct Softmax: Operator {
    package static let name = "Softmax"
    /// Which of the family.
    package enum Kind: String, Sendable, Hashable, Codable { case softmax, logSoftmax, hardmax }
    /// Which of the family.
    package var kind: Kind
    /// The axis, negative ones from the back.
    package var axis: Int
    /// Whether the axis and all after it count as one (operator sets before 13).
    package var flattens: Bool

    package init(_ kind: Kind = .softmax, axis: Int = -1, flattens: Bool = false) {
        self.kind = kind
        self.axis = axis
        self.flattens = flattens
    }

    /// The same without flattening, where the operand's shape shows that it makes no difference.
    func simplified(for operands: Inputs?) -> Softmax {
        guard flattens, let shape = operands?.types.first??.tensor?.shape else { return self }
        let first = axis < 0 ? axis + shape.rank : axis
        guard shape.dimensions.indices.contains(first),
            shape.dimensions[(first + 1)...].allSatisfy({ $0 == .fixed(1) })
        else { return self }
        return Softmax(kind, axis: axis)
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect([.float16, .float32, .float64, .bfloat16])
        if let rank = x.rank { _ = try bounds(rank: rank) }
        return [.tensor(TensorType(x.element, x.shape))]
    }

    private func bounds(rank: Int) throws(Misfit) -> Range<Int> {
        if flattens && axis == rank { return rank..<rank }
        if rank == 0 && (axis == 0 || axis == -1) { return 0..<0 }
        let first = try resolvedAxis(axis, rank: rank)
        return first..<(flattens ? rank : first + 1)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let extents = try call.extents(0)
        let range = try bounds(rank: extents.count)
        let block = ReductionPlan.Block(
            outer: extents[..<range.lowerBound].reduce(1, *), middle: extents[range].reduce(1, *),
            inner: extents[range.upperBound...].reduce(1, *))
        switch try call.input(0).element {
        case .float32:
            let simd = try Simd(call.instructionSet)
            guard kind != .hardmax, simd.table.pointee.softmax_rows_f32 != nil else {
                return .kernel(tiles(block, Float.self))
            }
            return .kernel(block.inner == 1 ? rows(block, simd) : columns(block, simd))
        case .float64: return .kernel(tiles(block, Double.self))
        case let element: throw .unsupported("\(onnxName) on \(element)")
        }
    }

    private func rows(_ block: ReductionPlan.Block, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(block.outer, cost: block.middle * 8)
        let logarithm: Int32 = kind == .logSoftmax ? 1 : 0
        return TileKernel(tiles: tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            let range = tiling[tile]
            var shape = dcn_rows()
            (shape.rows, shape.columns) = (range.count, block.middle)
            (shape.x_row, shape.y_row) = (block.middle, block.middle)
            let start = range.lowerBound * block.middle
            simd.table.pointee.softmax_rows_f32(
                logarithm, &shape, frame.input(0, as: Float.self) + start,
                frame.output(0, as: Float.self) + start)
        }
    }

    private func columns(_ block: ReductionPlan.Block, _ simd: Simd) -> TileKernel {
        let tiling = Tiling(block.inner, cost: block.middle * 8, multipleOf: 64)
        let logarithm: Int32 = kind == .logSoftmax ? 1 : 0
        let tiles = block.outer * tiling.tiles
        return TileKernel(tiles: tiles, inPlace: [InPlace(output: 0, input: 0)]) { (tile, frame) in
            let (outer, range) = (tile / tiling.tiles, tiling[tile % tiling.tiles])
            var shape = dcn_rows()
            (shape.rows, shape.columns) = (block.middle, range.count)
            (shape.x_row, shape.y_row) = (block.inner, block.inner)
            let start = outer * block.middle * block.inner + range.lowerBound
            simd.table.pointee.softmax_columns_f32(
                logarithm, &shape, frame.input(0, as: Float.self) + start,
                frame.output(0, as: Float.self) + start)
        }
    }

    private func tiles<T: BinaryFloatingPoint & Sendable>(
        _ block: ReductionPlan.Block, _ type: T.Type
    ) -> TileKernel {
        let tiling = Tiling(block.outer * block.inner, cost: block.middle * 16)
        let kind = kind
        return TileKernel(tiles: tiling.tiles) { (tile, frame) in
            for index in tiling[tile] {
                let start = index / block.inner * block.middle * block.inner + index % block.inner
                let (x, y) = (frame.input(0, as: T.self) + start, frame.output(0, as: T.self) + start)
                kind == .hardmax
                    ? Self.hardmax(x, y, block.middle, block.inner)
                    : Self.softmax(x, y, block.middle, block.inner, logarithm: kind == .logSoftmax)
            }
        }
    }

    private static func softmax<T: BinaryFloatingPoint>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ count: Int, _ stride: Int, logarithm: Bool
    ) {
        var top = -Double.infinity
        for index in 0..<count { if Double(x[index * stride]) > top { top = Double(x[index * stride]) } }
        var sum = 0.0
        for index in 0..<count { sum += Elementary.exp(Double(x[index * stride]) - top) }
        let logSum = Elementary.log(sum)
        for index in 0..<count {
            let shifted = Double(x[index * stride]) - top
            y[index * stride] = T(logarithm ? shifted - logSum : Elementary.exp(shifted) / sum)
        }
    }

    private static func hardmax<T: BinaryFloatingPoint>(
        _ x: UnsafePointer<T>, _ y: UnsafeMutablePointer<T>, _ count: Int, _ stride: Int
    ) {
        var best = 0
        for index in 1..<max(1, count) where !x[best * stride].isNaN {
            if x[index * stride] > x[best * stride] || x[index * stride].isNaN { best = index }
        }
        for index in 0..<count { y[index * stride] = index == best ? 1 : 0 }
    }

    private var onnxName: String {
        switch kind {
        case .softmax: "Softmax"
        case .logSoftmax: "LogSoftmax"
        case .hardmax: "Hardmax"
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard flattens, simplified(for: inputs).flattens else {
            return WrittenNode(onnxName, [("axis", .int(axis))], since: 13)
        }
        guard opset < 13 else {
            throw .unsupported(
                "\(onnxName) over several axes at once has no spelling from operator set 13 on")
        }
        return WrittenNode(onnxName, [("axis", .int(axis))])
    }
}
