package import DCNGraph

/// Fourier transforms of frames of a signal.
///
/// Inputs: signal `[N, L]`, `[N, L, 1]` or `[N, L, 2]`, step (int, rank 0), window `[length]` or left out, frame length or left out (then
/// the window's). Output `[N, frames, bins, 2]`, `frames = 1 + (L − length) / step`, bins the length, one-sided half of it and one.
/// What is not finite spoils all bins of the frames that hold it, each in one part at least.
package struct STFT: Operator {
    package static let name = "STFT"
    /// Whether the half that mirrors the other is left out.
    package var isOneSided: Bool

    package init(isOneSided: Bool = true) { self.isOneSided = isOneSided }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let signal = try inputs.required(0, "signal")
        try signal.expect(ElementType.reals)
        let step = try inputs.required(1, "frame_step")
        try step.expect([.int32, .int64])
        let window = try inputs.optional(2, "window", rank: 1)
        try window?.expectSameElement(as: signal)
        let given = try inputs.optional(3, "frame_length")
        try given?.expect([.int32, .int64])
        if let rank = signal.rank, rank != 2, rank != 3 {
            throw .rank(of: "signal", expected: "2 or 3", got: rank)
        }
        if signal.rank == 3, let parts = signal.dimension(2).fixed {
            guard parts == 1 || parts == 2 else {
                throw .extent(
                    of: "signal", axis: 2, expected: "1 or 2", got: "\(parts)", because: "real or complex")
            }
            if parts == 2 && isOneSided {
                throw .attribute("onesided", because: "is set, which complex signals do not have")
            }
        }
        var (frames, bins) = (Dimension.unknown, Dimension.unknown)
        if let length = given == nil ? window?.dimension(0).fixed : given?.integers?.first {
            guard (1...(1 << 24)).contains(length) else {
                throw .value(of: "frame_length", because: "is \(length), expected 1 … \(1 << 24)")
            }
            try window?.expect(length, along: 0, because: "frame_length")
            bins = .fixed(isOneSided ? length / 2 + 1 : length)
            if let step = step.integers?.first, let extent = signal.dimension(1).fixed {
                guard step > 0 else {
                    throw .value(of: "frame_step", because: "is \(step), expected at least 1")
                }
                guard extent >= length else {
                    throw .extent(
                        of: "signal", axis: 1, expected: "at least \(length)", got: "\(extent)",
                        because: "a frame has to fit")
                }
                frames = .fixed((extent - length) / step + 1)
            }
        } else if given == nil && window == nil {
            throw .missing("window or frame_length")
        }
        return [.tensor(TensorType(signal.element, Shape([signal.dimension(0), frames, bins, 2])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let y = try call.output(0).extents, let step = call.constant(1)?.integers?.first else {
            return .routine(lateRoutine(self))
        }
        let length = call.has(3) ? call.constant(3)?.integers?.first : try call.extents(2)[0]
        guard let length else { return .routine(lateRoutine(self)) }
        let plan = FramesPlan(
            x: try call.extents(0), y: y, step: step, fourier: FourierPlan(length), hasWindow: call.has(2))
        switch try call.input(0).element {
        case .float32: return .kernel(plan.kernel(Float.self))
        case .float64: return .kernel(plan.kernel(Double.self))
        case let element: throw .unsupported("STFT on \(element)")
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("STFT", [("onesided", .int(isOneSided ? 1 : 0))], since: 17)
    }
}

private struct FramesPlan: Sendable {
    let x, y: [Int]
    let step: Int
    let fourier: FourierPlan
    let hasWindow: Bool

    func kernel<T: BinaryFloatingPoint & Sendable>(_ type: T.Type) -> TileKernel {
        let tiling = Tiling(y[0] * y[1], cost: fourier.padded &* 32)
        let plan = self
        return TileKernel(tiles: tiling.tiles, scratch: fourier.padded * 16) { (tile, frame) in
            for index in tiling[tile] { plan.run(index, frame, type) }
        }
    }

    private func run<T: BinaryFloatingPoint>(_ index: Int, _ frame: Frame, _ type: T.Type) {
        let work = frame.scratch(as: SIMD2<Double>.self)
        let parts = x.count == 3 ? x[2] : 1
        let start = index / y[1] * x[1] + index % y[1] * step
        let signal = frame.input(0, as: T.self) + start * parts
        let window = hasWindow ? frame.optionalInput(2, as: T.self) : nil
        for k in 0..<fourier.length {
            let weight = window.map { Double($0[k]) } ?? 1
            work[k] =
                SIMD2(Double(signal[k * parts]), parts == 2 ? Double(signal[k * parts + 1]) : 0) * weight
        }
        fourier.run(work, isInverse: false)
        let target = frame.output(0, as: T.self) + index * y[2] * 2
        for k in 0..<y[2] { (target[2 * k], target[2 * k + 1]) = (T(work[k].x), T(work[k].y)) }
    }
}
