/// How the bytes of a tensor lie; extents are always in ONNX's order.
public enum Layout: UInt8, Sendable, Hashable, Codable {
    /// Dense, last axis fastest.
    case rowMajor
    /// Rank 3 to 5: N, spatial axes, then channels, with the channel stride padded to a multiple of
    /// `Layout.channelBlock` elements; padding holds zeros, always. Rank 2 counts as N × C.
    case channelsLast

    /// The channel stride of channels-last tensors is a multiple of this.
    public static let channelBlock = 16
}

/// The element type, extents and layout of a tensor.
public struct TensorType: Sendable, Hashable, Codable {
    /// What one element is.
    public var element: ElementType
    /// Extents; nil when even the rank is unknown.
    public var shape: Shape?
    /// How the bytes lie.
    public var layout: Layout

    /// A type from its parts.
    public init(_ element: ElementType, _ shape: Shape?, layout: Layout = .rowMajor) {
        self.element = element
        self.shape = shape
        self.layout = layout
    }

    /// A row-major type of known extents.
    public init(_ element: ElementType, extents: [Int]) {
        self.init(element, Shape(extents))
    }

    /// All extents, when all are known.
    public var extents: [Int]? { shape?.fixed }

    /// Extents as they lie in memory, padding included; nil when not all are known.
    public var storedExtents: [Int]? {
        guard let extents else { return nil }
        guard layout == .channelsLast, extents.count >= 2 else { return extents }
        return [extents[0]] + extents[2...] + [paddedChannels(extents[1])]
    }

    /// How many bytes a tensor of this type takes; nil when extents are unknown or the count overflows.
    public var byteCount: Int? {
        guard let stored = storedExtents, let count = DCNGraph.elementCount(of: stored) else { return nil }
        let (bits, overflow) = count.multipliedReportingOverflow(by: element.bitWidth)
        guard !overflow, bits <= Int.max - 7 else { return nil }
        return (bits + 7) / 8
    }

    /// How many elements there are, padding apart; nil when unknown or too many to count.
    public var elementCount: Int? {
        guard let extents else { return nil }
        return DCNGraph.elementCount(of: extents)
    }

    /// The same type laid out otherwise.
    public func with(layout: Layout) -> TensorType { TensorType(element, shape, layout: layout) }
}

/// A channel count rounded up to the channel block; counts that can't be rounded up stay, no memory holds them.
package func paddedChannels(_ channels: Int) -> Int {
    guard channels <= Int.max - Layout.channelBlock else { return channels }
    return (channels + Layout.channelBlock - 1) / Layout.channelBlock * Layout.channelBlock
}

extension TensorType: CustomStringConvertible {
    /// `float32[1, 3, H, W]`, with `channelsLast` appended where bytes lie so.
    public var description: String {
        "\(element)" + (shape?.description ?? "[*]") + (layout == .channelsLast ? " channelsLast" : "")
    }
}

/// The type of a value of a graph.
public indirect enum ValueType: Sendable, Hashable, Codable {
    case tensor(TensorType)
    case sequence(ValueType)
    case optional(ValueType)

    /// The tensor type, where the value is a tensor.
    public var tensor: TensorType? {
        if case .tensor(let type) = self { type } else { nil }
    }

    /// Whether every extent is known, so that memory can be planned.
    public var isConcrete: Bool { tensor?.extents != nil }
}

extension ValueType: CustomStringConvertible {
    /// `float32[1, 3]`, `sequence(int64[*])`, `optional(…)`.
    public var description: String {
        switch self {
        case .tensor(let type): "\(type)"
        case .sequence(let element): "sequence(\(element))"
        case .optional(let element): "optional(\(element))"
        }
    }
}
