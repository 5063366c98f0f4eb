package import DCNGraph

/// The discrete Fourier transform along one axis.
///
/// Inputs: signal `[…, 1 or 2]` (real, or real and imaginary), length of the transform (cut or padded with zeros; left out: the
/// extent), axis (left out: the one before the last). Output `[…, 2]`; one-sided: the first half and one more. The
/// inverse is divided by the length; one-sided it takes half a spectrum and gives `[…, 1]`. What is not finite spoils
/// all bins of its line, each in one part at least.
package struct DFT: Operator {
    package static let name = "DFT"
    /// Whether the transform goes back.
    package var isInverse: Bool
    /// Whether the half that mirrors the other is left out.
    package var isOneSided: Bool

    package init(isInverse: Bool = false, isOneSided: Bool = false) {
        self.isInverse = isInverse
        self.isOneSided = isOneSided
    }

    private static let limit = 1 << 24

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect(ElementType.reals)
        let (given, place) = (try inputs.optional(1, "dft_length"), try inputs.optional(2, "axis"))
        try given?.expect([.int32, .int64])
        try place?.expect([.int32, .int64])
        guard var shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank >= 2 else { throw .rank(of: "input", expected: "2 or more", got: shape.rank) }
        if let last = shape[shape.rank - 1].fixed, last != 1, last != 2 {
            throw .extent(
                of: "input", axis: shape.rank - 1, expected: "1 or 2", got: "\(last)",
                because: "real or complex")
        }
        guard let axis = try axis(place, rank: shape.rank) else {
            return [
                .tensor(TensorType(x.element, Shape([Dimension](repeating: .unknown, count: shape.rank))))
            ]
        }
        let length = try length(given, shape[axis])
        shape[axis] = isOneSided && !isInverse ? length.fixed.map { .fixed($0 / 2 + 1) } ?? .unknown : length
        shape[shape.rank - 1] = isOneSided && isInverse ? 1 : 2
        return [.tensor(TensorType(x.element, shape))]
    }

    private func axis(_ place: Operand?, rank: Int) throws(Misfit) -> Int? {
        guard let place else { return rank - 2 }
        guard let value = place.integers?.first else { return nil }
        let axis = try resolvedAxis(value, rank: rank)
        guard axis < rank - 1 else {
            throw .value(of: "axis", because: "is the last, which holds real and imaginary parts")
        }
        return axis
    }

    private func length(_ given: Operand?, _ extent: Dimension) throws(Misfit) -> Dimension {
        var length = isInverse && isOneSided ? extent.fixed.map { .fixed(2 * ($0 - 1)) } ?? .unknown : extent
        if let given { length = given.integers?.first.map { .fixed($0) } ?? .unknown }
        if let count = length.fixed, !(1...Self.limit).contains(count) {
            throw .value(of: "dft_length", because: "is \(count), expected 1 … \(Self.limit)")
        }
        return length
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard try call.output(0).extents != nil else { return .routine(lateRoutine(self)) }
        let extents = try call.extents(0)
        let operand = { (index: Int) throws(Misfit) -> Operand? in
            try Inputs(call.inputs, constants: call.constants).optional(index, "input \(index)")
        }
        guard let axis = try axis(try operand(2), rank: extents.count),
            let length = try length(try operand(1), .fixed(extents[axis])).fixed
        else { return .routine(lateRoutine(self)) }
        let plan = SpectrumPlan(
            x: extents, y: try call.outputExtents(0), axis: axis, fourier: FourierPlan(length),
            isInverse: isInverse,
            isOneSided: isOneSided)
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case let element: throw .unsupported("DFT on \(element)")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(
            "DFT", [("inverse", .int(isInverse ? 1 : 0)), ("onesided", .int(isOneSided ? 1 : 0))], since: 20)
    }
}

private struct SpectrumPlan: Sendable {
    let x, y: [Int]
    let axis: Int
    let fourier: FourierPlan
    let isInverse, isOneSided: Bool

    func kernel<T: BinaryFloatingPoint & Sendable>(_ type: T.Type) -> TileKernel {
        let outer = y[..<axis].reduce(1, *)
        let inner = y[(axis + 1)..<(y.count - 1)].reduce(1, *)
        let tiling = Tiling(outer * inner, cost: fourier.padded &* 32)
        let plan = self
        return TileKernel(tiles: tiling.tiles, scratch: fourier.padded * 16) { (tile, frame) in
            for line in tiling[tile] { plan.run(line / inner, line % inner, inner, frame, type) }
        }
    }

    private func run<T: BinaryFloatingPoint>(
        _ outer: Int, _ inner: Int, _ step: Int, _ frame: Frame, _ type: T.Type
    ) {
        let work = frame.scratch(as: SIMD2<Double>.self)
        let (parts, given) = (x[x.count - 1], x[axis])
        let source = frame.input(0, as: T.self) + (outer * given * step + inner) * parts
        let isHalf = isInverse && isOneSided
        for k in 0..<fourier.length {
            let mirrored = isHalf && k > fourier.length / 2
            let place = mirrored ? fourier.length - k : k
            guard place < given else {
                work[k] = .zero
                continue
            }
            let value = source + place * step * parts
            let imaginary = parts == 2 ? Double(value[1]) : 0
            work[k] = SIMD2(Double(value[0]), mirrored ? -imaginary : imaginary)
        }
        if isHalf { work[0].y = 0 }
        if isHalf && fourier.length % 2 == 0 { work[fourier.length / 2].y = 0 }
        fourier.run(work, isInverse: isInverse)
        let factor = isInverse ? 1 / Double(fourier.length) : 1
        let width = y[y.count - 1]
        let target = frame.output(0, as: T.self) + (outer * y[axis] * step + inner) * width
        for k in 0..<y[axis] {
            target[k * step * width] = T(work[k].x * factor)
            if width == 2 { target[k * step * width + 1] = T(work[k].y * factor) }
        }
    }
}
