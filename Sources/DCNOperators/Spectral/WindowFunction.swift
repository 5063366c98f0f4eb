package import DCNGraph

/// A window of a given length, as signal processing weighs frames with.
///
///     Hann: sin²(πn / N)    Hamming: a − b cos(2πn / N), a = 25/46    Blackman: 0.42 − 0.5 cos(2πn / N) + 0.08 cos(4πn / N)
///
/// N is the length where periodic, else one less. Input: size (int32 or int64, rank 0). Output `[size]`. A window of
/// one number that is not periodic is NaN, 0 / 0, of integers 0; of size 0 it has none.
package struct WindowFunction: Operator {
    package static let name = "WindowFunction"
    /// Which window.
    package enum Kind: String, Sendable, Hashable, Codable { case hann, hamming, blackman }
    /// Which window.
    package var kind: Kind
    /// Whether it begins anew after its length.
    package var isPeriodic: Bool
    /// The type of the output.
    package var element: ElementType

    package init(_ kind: Kind, isPeriodic: Bool = true, element: ElementType = .float32) {
        self.kind = kind
        self.isPeriodic = isPeriodic
        self.element = element
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let size = try inputs.required(0, "size")
        try size.expect([.int32, .int64])
        guard element.isInteger && !element.isPacked || element.isFloat && element.bitWidth >= 16 else {
            throw .attribute("output_datatype", because: "is \(element), expected a number")
        }
        guard let count = size.integers?.first else { return [.tensor(TensorType(element, [.unknown]))] }
        guard (0...(1 << 30)).contains(count) else {
            throw .value(of: "size", because: "is \(count), expected 0 … \(1 << 30)")
        }
        return [.tensor(TensorType(element, [.fixed(count)]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let count = try call.output(0).extents?.first else { return .routine(lateRoutine(self)) }
        let op = self
        return .kernel(try numberKernel(count, element) { op.value(Double($0), Double(count)) })
    }

    private func value(_ n: Double, _ size: Double) -> Double {
        let length = isPeriodic ? size : size - 1
        let angle = n * 2 * .pi / length
        switch kind {
        case .hann:
            let sine = Elementary.sin(n * .pi / length)
            return sine * sine
        case .hamming: return 25.0 / 46 - (1 - 25.0 / 46) * Elementary.cos(angle)
        case .blackman: return 0.42 - 0.5 * Elementary.cos(angle) + 0.08 * Elementary.cos(2 * angle)
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        let names: [Kind: String] = [
            .hann: "HannWindow", .hamming: "HammingWindow", .blackman: "BlackmanWindow",
        ]
        return WrittenNode(
            names[kind] ?? "HannWindow",
            [("periodic", .int(isPeriodic ? 1 : 0)), ("output_datatype", .int(element.rawValue))], since: 17)
    }
}

/// A kernel that fills output 0 of any number type with a function of the index.
func numberKernel(
    _ count: Int, _ element: ElementType, _ value: @escaping @Sendable (Int) -> Double
) throws(Misfit) -> TileKernel {
    switch element {
    case .float32: filled(count, value) { Float($0) }
    case .float64: filled(count, value) { $0 }
    case .float16: filled(count, value) { halfBits($0) }
    case .bfloat16: filled(count, value) { brainBits($0) }
    case .int8: filled(count, value) { Int8(saturating: $0) }
    case .uint8: filled(count, value) { UInt8(saturating: $0) }
    case .int16: filled(count, value) { Int16(saturating: $0) }
    case .uint16: filled(count, value) { UInt16(saturating: $0) }
    case .int32: filled(count, value) { Int32(saturating: $0) }
    case .uint32: filled(count, value) { UInt32(saturating: $0) }
    case .int64: filled(count, value) { Int64(saturating: $0) }
    case .uint64: filled(count, value) { UInt64(saturating: $0) }
    default: throw .unsupported("a result of \(element)")
    }
}

private func filled<T: BitwiseCopyable & SendableMetatype>(
    _ count: Int, _ value: @escaping @Sendable (Int) -> Double, _ rounded: @escaping @Sendable (Double) -> T
) -> TileKernel {
    let tiling = Tiling(count, cost: 32)
    return TileKernel(tiles: tiling.tiles) { (tile, frame) in
        for index in tiling[tile] { frame.output(0, as: T.self)[index] = rounded(value(index)) }
    }
}

/// The bits of the nearest bfloat16, halves to even.
private func brainBits(_ value: Double) -> UInt16 {
    let bits = Float(value).bitPattern
    guard !value.isNaN else { return 0x7FC0 }
    return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) >> 16)
}

/// The bits of the nearest float16, halves to even.
private func halfBits(_ value: Double) -> UInt16 {
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    let size = abs(value)
    guard !value.isNaN else { return 0x7E00 }
    guard size < 65520 else { return sign | 0x7C00 }
    let exponent = max(-14, size == 0 ? -14 : Int(size.exponent))
    let unit = Double(sign: .plus, exponent: exponent - 10, significand: 1)
    let steps = Int((size / unit).rounded(.toNearestOrEven))
    return sign | UInt16(truncatingIfNeeded: (exponent + 14) << 10 + steps)
}
