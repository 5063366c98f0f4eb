internal import DCNGraph

/// What a resize does along one axis.
struct ResizeAxis: Sendable, Hashable {
    var dimension: Dimension
    var scale: Double = 1
    /// The cropped part, from and to, as shares of the axis.
    var crop: (Double, Double)?
    var isActive = false

    static func == (a: Self, b: Self) -> Bool {
        a.dimension == b.dimension && a.scale == b.scale && a.isActive == b.isActive && a.crop?.0 == b.crop?.0
            && a.crop?.1 == b.crop?.1
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(dimension)
        hasher.combine(scale)
    }
}

extension Resize {
    /// What happens along each axis; nil when that follows from values that are not known.
    func geometry(_ inputs: Inputs, _ shape: Shape) throws(Misfit) -> [ResizeAxis]? {
        var result = shape.dimensions.map { ResizeAxis(dimension: $0) }
        var chosen: [Int] = []
        for axis in axes ?? Array(0..<shape.rank) {
            chosen.append(try resolvedAxis(axis, rank: shape.rank, name: "axes"))
        }
        guard Set(chosen).count == chosen.count else {
            throw .attribute("axes", because: "names an axis twice")
        }
        let scales = try given(inputs, 2, "scales", count: chosen.count)
        let sizes = try given(inputs, 3, "sizes", count: chosen.count)
        guard scales != nil || sizes != nil else { throw .missing("scales or sizes") }
        guard scales == nil || sizes == nil else {
            throw .value(of: "sizes", because: "is given beside scales, expected one of them")
        }
        if let scales {
            try scales.expect([.float32])
            guard let values = scales.constant?.elements(as: Float.self) else { return nil }
            try apply(values, to: &result, chosen)
        } else if let sizes {
            try sizes.expect([.int64])
            guard let dimensions = sizes.dimensions else { return nil }
            guard try apply(dimensions, to: &result, chosen) else { return nil }
        }
        if coordinates == .cropAndResize {
            guard try applyCrop(inputs, to: &result, chosen) else { return nil }
        }
        return result
    }

    /// An operand that counts as left out when it holds nothing.
    private func given(_ inputs: Inputs, _ index: Int, _ name: String, count: Int) throws(Misfit) -> Operand?
    {
        guard let operand = try inputs.optional(index, name, rank: 1), operand.dimension(0) != 0 else {
            return nil
        }
        try operand.expect(count, along: 0, because: "one for each axis")
        return operand
    }

    /// Tables are made for each axis: an absurd extent must not be one of them.
    private static func checkExtent(_ extent: Int) throws(Misfit) {
        let limit = 1 << 26
        guard extent <= limit else { throw .limit(of: "a resized extent", asked: extent, limit: limit) }
    }

    private func apply(_ scales: [Float], to axes: inout [ResizeAxis], _ chosen: [Int]) throws(Misfit) {
        for (axis, scale) in zip(chosen, scales) {
            guard scale > 0, scale.isFinite else {
                throw .value(of: "scales", because: "has \(scale), expected a positive number")
            }
            guard scale != 1 else { continue }
            axes[axis].scale = Double(scale)
            axes[axis].isActive = true
            guard let extent = axes[axis].dimension.fixed else {
                axes[axis].dimension = .unknown
                continue
            }
            let stretched = Double(extent) * Double(scale)
            try Self.checkExtent(Int(saturating: stretched))
            axes[axis].dimension = .fixed(Int(stretched))
        }
    }

    private func apply(_ sizes: [Dimension], to axes: inout [ResizeAxis], _ chosen: [Int]) throws(Misfit)
        -> Bool
    {
        if policy != .stretch { return try applyPolicy(sizes, to: &axes, chosen) }
        for (axis, size) in zip(chosen, sizes) {
            let extent = axes[axis].dimension
            axes[axis].dimension = size
            if size == extent && size != .unknown { continue }
            axes[axis].isActive = true
            if let scale = try ratio(size, extent, axis) { axes[axis].scale = scale }
        }
        return true
    }

    /// By how much an axis is stretched; nil when that is not known.
    private func ratio(_ size: Dimension, _ extent: Dimension, _ axis: Int) throws(Misfit) -> Double? {
        guard let size = size.fixed, let extent = extent.fixed else { return nil }
        guard size >= 0 else { throw .value(of: "sizes", because: "has \(size), expected 0 or more") }
        try Self.checkExtent(size)
        guard extent > 0 || size == 0 else {
            throw .extent(
                of: "X", axis: axis, expected: "at least 1", got: "0", because: "it is stretched to \(size)")
        }
        return extent == 0 ? 1 : Double(size) / Double(extent)
    }

    /// One scale for all axes: the least that fits one size, or the greatest.
    private func applyPolicy(
        _ sizes: [Dimension], to axes: inout [ResizeAxis], _ chosen: [Int]
    ) throws(Misfit) -> Bool {
        var scale: Double?
        for (axis, size) in zip(chosen, sizes) {
            guard let own = try ratio(size, axes[axis].dimension, axis) else { return false }
            scale = scale.map { policy == .notLarger ? min($0, own) : max($0, own) } ?? own
        }
        for axis in chosen {
            guard let scale, let extent = axes[axis].dimension.fixed else { continue }
            axes[axis].scale = scale
            axes[axis].isActive = scale != 1
            axes[axis].dimension = .fixed(Int(saturating: scale * Double(extent) + 0.5))
            try Self.checkExtent(axes[axis].dimension.fixed ?? 0)
        }
        return true
    }

    private func applyCrop(
        _ inputs: Inputs, to axes: inout [ResizeAxis], _ chosen: [Int]
    ) throws(Misfit) -> Bool {
        guard let roi = try inputs.optional(1, "roi", rank: 1) else { throw .missing("roi") }
        try roi.expect(2 * chosen.count, along: 0, because: "a start and an end for each axis")
        guard let values = roi.constant.flatMap(realValues) else { return false }
        for (index, axis) in chosen.enumerated() {
            let crop = (values[index], values[index + chosen.count])
            guard crop.0.isFinite, crop.1.isFinite else { throw .value(of: "roi", because: "is not finite") }
            axes[axis].crop = crop
            if crop != (0, 1) { axes[axis].isActive = true }
        }
        return true
    }

    private func realValues(_ tensor: Tensor) -> [Double]? {
        switch tensor.type.element {
        case .float32: tensor.elements(as: Float.self).map { Double($0) }
        case .float64: tensor.elements(as: Double.self)
        case .float16: tensor.elements(as: UInt16.self).map(halfValue)
        default: nil
        }
    }

    private func halfValue(_ bits: UInt16) -> Double {
        let exponent = Int(bits >> 10 & 31)
        let fraction = Double(bits & 1023)
        let sign = bits >> 15 == 0 ? 1.0 : -1
        if exponent == 31 { return fraction == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * fraction * 0x1p-24 }
        return sign * (1 + fraction / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }
}
