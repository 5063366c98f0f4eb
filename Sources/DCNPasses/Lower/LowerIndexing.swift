internal import DCNGraph
internal import DCNOperators

extension Term {
    /// Running maxima along an axis of known extent, from its start or from its end: each step doubles what is seen.
    func runningMaximum(_ axis: Int, count: Int, fromEnd: Bool = false) throws(DCNError) -> Term {
        var (result, reach) = (self, 1)
        let rank = type.shape?.rank ?? 0
        let least = element == .int64 ? Double(Int64.min) : -.infinity
        while reach < count {
            func at(_ number: Int) -> [Int] { (0..<rank).map { $0 == axis ? number : 0 } }
            let moved = try result.padded(
                at(fromEnd ? -reach : reach), at(fromEnd ? reach : -reach), with: least)
            result = try result.atLeast(moved)
            reach *= 2
        }
        return result
    }
}

extension CornerPool: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0] else { return nil }
        let axis = direction == .top || direction == .bottom ? 2 : 3
        guard let count = x.extent(axis) else { throw sketch.refusal("needs a known extent") }
        let fromEnd = direction == .top || direction == .left
        return [try x.runningMaximum(axis, count: count, fromEnd: fromEnd)]
    }
}

extension CumulativeExtreme: Lowerable {
    /// The index of a running maximum is that of the last element so far that was one itself.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0], let rank = x.type.shape?.rank else {
            throw sketch.refusal("needs a known rank to be written in standard operators")
        }
        let along = axis < 0 ? axis + rank : axis
        guard let count = x.extent(along), x.element == .float32 || x.element == .float64 else {
            throw sketch.refusal("needs floats and a known extent to be written in standard operators")
        }
        let rising = try isMinimum ? x.applying(Neg()) : x
        let best = try rising.runningMaximum(along, count: count)
        let values = try isMinimum ? best.applying(Neg()) : best
        guard outputs > 1 else { return [values] }
        guard
            let numbers = Tensor(
                extents: (0..<rank).map { $0 == along ? count : 1 }, (0..<count).map { Int64($0) })
        else { return nil }
        let own = try (rising .>= best).choosing(sketch.constant(numbers), or: 0)
        return [values, try own.runningMaximum(along, count: count)]
    }
}

extension Gather: Lowerable {
    /// Leading axes that data and indices share.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard batchAxes > 0, let data = inputs[0], let indices = inputs[1] else { return nil }
        guard axis == batchAxes else { throw sketch.refusal("with batch axes has no standard spelling") }
        return [try data.gatherND(indices.cast(.int64).unsqueezed(-1), batchAxes: batchAxes)]
    }
}

extension GridPriors: Lowerable {
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let base = inputs[0], let rows = inputs[1], let columns = inputs[2] else { return nil }
        func steps(_ term: Term, _ stride: Double, _ extents: [Int]) throws(DCNError) -> Term {
            try sketch.range(term.size(0)).cast(.float32).reshape(extents) * stride
        }
        let x = try steps(columns, strideWidth, [1, -1, 1, 1]) * sketch.floats([1, 0, 1, 0])
        let y = try steps(rows, strideHeight, [-1, 1, 1, 1]) * sketch.floats([0, 1, 0, 1])
        return [try (x + y + base).reshape([-1, 4])]
    }
}

extension PSAMask: Lowerable {
    /// Masks are laid over the image one axis after the other, by rows that are each one longer than they are read.
    func lowered(_ inputs: [Term?], outputs: Int, in sketch: Sketch) throws(DCNError) -> [Term]? {
        guard let x = inputs[0] else { return nil }
        guard let height = x.extent(2), let width = x.extent(3) else {
            throw sketch.refusal("needs known extents to be written in standard operators")
        }
        // [N, hm, wm, H, W] to [N, wm, W, H, hm] to [N, wm, W, H, target row], and the same for columns.
        let apart = try x.reshape([-1, maskHeight, maskWidth, height, width]).transpose([0, 2, 4, 3, 1])
        let rows = try laid(apart, maskHeight, height, [maskWidth, width])
        let turned = try rows.transpose([0, 4, 3, 2, 1])
        let laid = try laid(turned, maskWidth, width, [height, height])
        // [N, target row, H, W, target column].
        let order = distributes ? [0, 2, 3, 1, 4] : [0, 1, 4, 2, 3]
        return [try laid.transpose(order).reshape([-1, height * width, height, width])]
    }

    /// [N, …, extent, mask] to [N, …, extent, target].
    private func laid(_ x: Term, _ mask: Int, _ extent: Int, _ outer: [Int]) throws(DCNError) -> Term {
        let longer = try x.padded([0, 0, 0, 0, 0], [0, 0, 0, 0, extent])
        let line = try longer.reshape([-1] + outer + [extent * (extent + mask)])
        return try line.slice(3, from: 0, to: extent * (extent + mask - 1))
            .reshape([-1] + outer + [extent, extent + mask - 1])
            .slice(4, from: (mask - 1) / 2, to: (mask - 1) / 2 + extent)
    }
}
