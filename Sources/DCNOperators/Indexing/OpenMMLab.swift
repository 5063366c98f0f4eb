package import DCNGraph

/// Running maxima or minima along `axis`, and the (later) index of each, int64. NaN stays once met.
package struct CumulativeExtreme: Operator {
    package static let name = "CumulativeExtreme"
    /// -rank … rank - 1.
    package var axis: Int
    /// Minima, else maxima.
    package var isMinimum: Bool

    package init(axis: Int, isMinimum: Bool) {
        self.axis = axis
        self.isMinimum = isMinimum
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input")
        if let rank = data.rank { _ = try resolvedAxis(axis, rank: rank, name: "dim") }
        let types: [ValueType] = [
            .tensor(TensorType(data.element, data.shape)), .tensor(TensorType(.int64, data.shape)),
        ]
        return Array(types.prefix(max(1, inputs.outputCount)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        switch try call.input(0).element {
        case .float32: return .kernel(try kernel(call, Float.self))
        case .float64: return .kernel(try kernel(call, Double.self))
        case .int32: return .kernel(try kernel(call, Int32.self))
        case .int64: return .kernel(try kernel(call, Int64.self))
        case let element: throw .unsupported("cummax and cummin of \(element)")
        }
    }

    private func kernel<T: OrderKeyed>(_ call: Call, _ type: T.Type) throws(Misfit) -> TileKernel {
        let extents = try call.extents(0)
        let along = try resolvedAxis(axis, rank: extents.count)
        let count = extents[along]
        let inner = extents[(along + 1)...].product
        let isMinimum = self.isMinimum
        let notANumber = Float.nan.orderKey
        let doubleNaN = Double.nan.orderKey
        let tiling = Tiling(count == 0 ? 0 : inner * extents[..<along].product, cost: 2 * count)
        return TileKernel(tiles: tiling.tiles) { tile, frame in
            let values = frame.optionalOutput(0, as: type)
            let places = frame.optionalOutput(1, as: Int64.self)
            for line in tiling[tile] {
                let start = line / inner * count * inner + line % inner
                let x = frame.input(0, as: type) + start
                var best = 0
                for index in 0..<count {
                    let key = x[index * inner].orderKey
                    let held = x[best * inner].orderKey
                    let isNaN =
                        type == Float.self && key == notANumber || type == Double.self && key == doubleNaN
                    let holdsNaN =
                        type == Float.self && held == notANumber || type == Double.self && held == doubleNaN
                    if isNaN || !holdsNaN && (isMinimum ? key <= held : key >= held) { best = index }
                    values?[start + index * inner] = x[best * inner]
                    places?[start + index * inner] = Int64(best)
                }
            }
        }
    }
}

/// Running maxima over the rows or columns of [N, C, H, W], from one edge to the other; from a NaN on
/// they are NaN.
package struct CornerPool: Operator {
    package static let name = "CornerPool"

    /// Which way the maximum is carried.
    package enum Direction: Int, CaseIterable, Sendable, Hashable, Codable {
        /// From the last row up, from the first row down, from the last column to the left, from the first to the right.
        case top, bottom, left, right
    }

    /// Which way the maximum is carried.
    package var direction: Direction

    package init(direction: Direction) { self.direction = direction }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        return [.tensor(TensorType(data.element, data.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MMCVCornerPool on \(try call.input(0).element)")
        }
        let extents = try call.extents(0)
        let overRows = direction == .top || direction == .bottom
        let isReversed = direction == .top || direction == .left
        let count = overRows ? extents[2] : extents[3]
        let inner = overRows ? extents[3] : 1
        let outer = extents[0] * extents[1] * (overRows ? 1 : extents[2])
        let tiling = Tiling(count * inner == 0 ? 0 : outer, cost: count * inner)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                for plane in tiling[tile] {
                    let x = frame.input(0, as: Float.self) + plane * count * inner
                    let y = frame.output(0, as: Float.self) + plane * count * inner
                    for step in 0..<count {
                        let row = (isReversed ? count - 1 - step : step) * inner
                        let before = isReversed ? row + inner : row - inner
                        for column in 0..<inner {
                            let value = x[row + column]
                            y[row + column] = step == 0 ? value : y[before + column].joined(value, by: .max)
                        }
                    }
                }
            })
    }
}

/// Anchors moved to every cell of a grid: inputs base [A, 4], and one value for each row and each column (their number
/// counts); gives [H W A, 4], base + (column · strideWidth, row · strideHeight) twice.
package struct GridPriors: Operator {
    package static let name = "GridPriors"
    /// Rows are this far apart.
    package var strideHeight: Double
    /// Columns are this far apart.
    package var strideWidth: Double

    package init(strideHeight: Double, strideWidth: Double) {
        self.strideHeight = strideHeight
        self.strideWidth = strideWidth
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let base = try inputs.required(0, "base_anchors", rank: 2)
        try base.expect(4, along: 1, because: "corners")
        let rows = try inputs.required(1, "feat_h", rank: 1)
        let columns = try inputs.required(2, "feat_w", rank: 1)
        let count = Dimension.product([rows.dimension(0), columns.dimension(0), base.dimension(0)])
        return [.tensor(TensorType(base.element, Shape([count, 4])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("GridPriorsTRT on \(try call.input(0).element)")
        }
        let anchors = try call.extents(0)[0]
        let columns = try call.extents(2)[0]
        let cells = anchors == 0 ? 0 : try call.extents(1)[0] * columns
        let (down, across) = (Float(strideHeight), Float(strideWidth))
        let tiling = Tiling(cells, cost: 4 * anchors)
        return .kernel(
            TileKernel(tiles: tiling.tiles) { tile, frame in
                let base = frame.input(0, as: Float.self)
                let output = frame.output(0, as: Float.self)
                for cell in tiling[tile] {
                    let (x, y) = (Float(cell % columns) * across, Float(cell / columns) * down)
                    for index in 0..<(4 * anchors) {
                        output[cell * anchors * 4 + index] = base[index] + (index % 2 == 0 ? x : y)
                    }
                }
            })
    }
}

/// Point-wise spatial attention masks laid over the image: [N, hm wm, H, W] to [N, H W, H, W], zeros where the
/// mask does not reach. For mask cell (i, j) at (h, w) the target is (h + i - (hm - 1) / 2, w + j - (wm - 1) / 2).
package struct PSAMask: Operator {
    package static let name = "PSAMask"
    /// out[position of (h, w), target] = in; else out[target, position of (h, w)] = in.
    package var distributes: Bool
    /// hm.
    package var maskHeight: Int
    /// wm.
    package var maskWidth: Int

    package init(distributes: Bool, maskHeight: Int, maskWidth: Int) {
        self.distributes = distributes
        self.maskHeight = maskHeight
        self.maskWidth = maskWidth
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "input", rank: 4)
        guard maskHeight > 0, maskWidth > 0, maskHeight < 1 << 16, maskWidth < 1 << 16 else {
            throw .attribute(
                "mask_size", because: "is \(maskHeight) × \(maskWidth), expected positive extents")
        }
        try data.expect(maskHeight * maskWidth, along: 1, because: "mask_size")
        let plane = Dimension.product([data.dimension(2), data.dimension(3)])
        let shape = Shape([data.dimension(0), plane, data.dimension(2), data.dimension(3)])
        return [.tensor(TensorType(data.element, shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.isSettled() else { return .routine(LateRoutine(op: self, outputs: call.outputs)) }
        if call.isEmpty { return .kernel(NumbersKernel([])) }
        guard try call.input(0).element == .float32 else {
            throw .unsupported("MMCVPSAMask on \(try call.input(0).element)")
        }
        let extents = try call.extents(0)
        let tiles = extents[2] * extents[3] == 0 ? 0 : extents[0]
        return .kernel(
            TileKernel(tiles: tiles) { image, frame in
                let plane = extents[2] * extents[3]
                let input = frame.input(0, as: Float.self) + image * extents[1] * plane
                let output = frame.output(0, as: Float.self) + image * plane * plane
                output.update(repeating: 0, count: plane * plane)
                for channel in 0..<extents[1] {
                    let down = channel / maskWidth - (maskHeight - 1) / 2
                    let across = channel % maskWidth - (maskWidth - 1) / 2
                    for place in 0..<plane {
                        let (row, column) = (place / extents[3] + down, place % extents[3] + across)
                        guard row >= 0, row < extents[2], column >= 0, column < extents[3] else { continue }
                        let target = row * extents[3] + column
                        let cell = distributes ? place * plane + target : target * plane + place
                        output[cell] = input[channel * plane + place]
                    }
                }
            })
    }
}

extension Family {
    /// Spellings of mmcv and mmdeploy.
    static let openMMLab: [String: Dialect.Spelling] = [
        "cummax": { (node) throws(Misfit) in
            Meaning(CumulativeExtreme(axis: try node.int("dim", default: 0), isMinimum: false))
        },
        "cummin": { (node) throws(Misfit) in
            Meaning(CumulativeExtreme(axis: try node.int("dim", default: 0), isMinimum: true))
        },
        "MMCVCornerPool": { (node) throws(Misfit) in
            let mode = try node.int("mode")
            guard let direction = CornerPool.Direction(rawValue: mode) else {
                throw .attribute("mode", because: "is \(mode), expected 0 … 3")
            }
            return Meaning(CornerPool(direction: direction))
        },
        "GatherTopk": { (node) throws(Misfit) in
            guard let rank = try node.operands?.required(1, "inds").rank, rank > 0 else {
                throw .missing("the rank of inds")
            }
            return Meaning(Gather(axis: rank - 1, batchAxes: rank - 1))
        },
        "GridPriorsTRT": { (node) throws(Misfit) in
            Meaning(
                GridPriors(
                    strideHeight: Double(try node.float("stride_h", default: 1)),
                    strideWidth: Double(try node.float("stride_w", default: 1))))
        },
        "MMCVPSAMask": { (node) throws(Misfit) in
            let size = try node.ints("mask_size", default: [])
            guard size.count == 2 else {
                throw .attribute("mask_size", because: "has \(size.count) numbers, expected 2")
            }
            let kind = try node.int("psa_type", default: 0)
            guard kind == 0 || kind == 1 else {
                throw .attribute("psa_type", because: "is \(kind), expected 0 or 1")
            }
            return Meaning(PSAMask(distributes: kind == 1, maskHeight: size[0], maskWidth: size[1]))
        },
        "Mark": { (node) throws(Misfit) in
            node.ignore("dtype", "shape", "func", "func_id", "type", "name", "id")
            return Meaning(Identity())
        },
        "ScatterND": { (_) throws(Misfit) in Meaning(ScatterND()) },
    ]
}
