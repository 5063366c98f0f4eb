internal import DCNGraph
internal import DCNOperators

/// Movement of elements.
extension Term {
    /// Other extents; 0 copies one, −1 is what is left.
    func reshape(_ extents: [Int]) throws(DCNError) -> Term {
        try sketch.node(Reshape(), self, sketch.integers(extents))
    }

    /// Other extents, some of them computed.
    func reshape(_ extents: Term) throws(DCNError) -> Term { try sketch.node(Reshape(), self, extents) }

    /// Axes in another order.
    func transpose(_ axes: [Int]) throws(DCNError) -> Term { try applying(Transpose(permutation: axes)) }

    /// New axes of extent 1.
    func unsqueezed(_ axes: Int...) throws(DCNError) -> Term {
        try sketch.node(Unsqueeze(), self, sketch.integers(axes))
    }

    /// Without axes of extent 1.
    func squeezed(_ axes: Int...) throws(DCNError) -> Term {
        try sketch.node(Squeeze(), self, sketch.integers(axes))
    }

    /// A range along one axis; `end` may be beyond it.
    func slice(_ axis: Int, from start: Int = 0, to end: Int = Int(Int32.max)) throws(DCNError) -> Term {
        try sketch.node(
            Slice(), self, sketch.integers([start]), sketch.integers([end]), sketch.integers([axis]))
    }

    /// Every `step`th entry along an axis.
    func slice(_ axis: Int, from start: Int, step: Int) throws(DCNError) -> Term {
        try sketch.node(
            Slice(), self, sketch.integers([start]), sketch.integers([Int(Int32.max)]),
            sketch.integers([axis]), sketch.integers([step]))
    }

    /// One column of a last axis, as rank 1.
    func column(_ index: Int) throws(DCNError) -> Term {
        let axis = (type.shape?.rank ?? 1) - 1
        return try slice(axis, from: index, to: index + 1).reshape([-1])
    }

    /// Entries along an axis.
    func gather(_ indices: Term, axis: Int = 0) throws(DCNError) -> Term {
        try sketch.node(Gather(axis: axis), self, indices)
    }

    /// Entries at places of several axes.
    func gatherND(_ places: Term, batchAxes: Int = 0) throws(DCNError) -> Term {
        try sketch.node(GatherND(batchAxes: batchAxes), self, places)
    }

    /// Put behind others along an axis.
    static func joined(_ terms: [Term], axis: Int) throws(DCNError) -> Term {
        guard terms.count > 1 else { return terms[0] }
        return try terms[0].sketch.nodes(Concat(axis: axis), terms, outputs: 1)[0]
    }

    /// `value` before and behind along each axis; negative counts take away.
    func padded(_ before: [Int], _ after: [Int], with value: Double = 0) throws(DCNError) -> Term {
        try sketch.node(Pad(), self, sketch.integers(before + after), sketch.scalar(value, element))
    }

    /// As many axes as a shape has.
    func expanded(_ shape: Term) throws(DCNError) -> Term { try sketch.node(Expand(), self, shape) }

    /// The extents, int64 of rank 1; of a range of axes.
    func shape(_ axes: Range<Int>? = nil) throws(DCNError) -> Term {
        try applying(axes.map { ShapeOf(start: $0.lowerBound, end: $0.upperBound) } ?? ShapeOf())
    }

    /// One extent as int64 without axes.
    func size(_ axis: Int) throws(DCNError) -> Term {
        if let extent = extent(axis) { return try sketch.scalar(Double(extent), .int64) }
        return try shape(axis..<(axis + 1)).squeezed(0)
    }

    /// One extent as a list of one.
    func length(_ axis: Int) throws(DCNError) -> Term {
        if let extent = extent(axis) { return sketch.integers([extent]) }
        return try shape(axis..<(axis + 1))
    }

    /// Combined along axes.
    func reduced(_ kind: ReduceKind, _ axes: [Int], keeps: Bool = false) throws(DCNError) -> Term {
        try sketch.node(Reduce(kind, keepsDimensions: keeps), self, sketch.integers(axes))
    }
}
