/// One extent of a shape, as far as it is known.
public enum Dimension: Sendable, Hashable, Codable {
    case fixed(Int)
    /// The same everywhere the symbol stands, its number known when inputs are.
    case symbol(String)
    case unknown

    /// The number, where it is known.
    public var fixed: Int? {
        if case .fixed(let extent) = self { extent } else { nil }
    }
}

extension Dimension: ExpressibleByIntegerLiteral, ExpressibleByStringLiteral, CustomStringConvertible {
    /// A known extent.
    public init(integerLiteral value: Int) { self = .fixed(value) }
    /// A symbolic extent.
    public init(stringLiteral value: String) { self = .symbol(value) }

    /// `3`, `batch` or `?`.
    public var description: String {
        switch self {
        case .fixed(let extent): "\(extent)"
        case .symbol(let name): escaped(name)
        case .unknown: "?"
        }
    }
}

/// The extents of a tensor of known rank, in ONNX's order whatever the layout.
public struct Shape: Sendable, Hashable, Codable {
    /// Extents, slowest first.
    public var dimensions: [Dimension]

    /// A shape of extents that need not be known.
    public init(_ dimensions: [Dimension]) { self.dimensions = dimensions }

    /// A shape of known extents.
    public init(_ extents: [Int]) { dimensions = extents.map(Dimension.fixed) }

    /// How many axes there are.
    public var rank: Int { dimensions.count }

    /// All extents, when all are known.
    public var fixed: [Int]? {
        var extents: [Int] = []
        extents.reserveCapacity(dimensions.count)
        for dimension in dimensions {
            guard let extent = dimension.fixed else { return nil }
            extents.append(extent)
        }
        return extents
    }

    /// The extent along an axis.
    public subscript(axis: Int) -> Dimension {
        get { dimensions[axis] }
        set { dimensions[axis] = newValue }
    }
}

extension Shape: ExpressibleByArrayLiteral, CustomStringConvertible {
    /// A shape written as its extents.
    public init(arrayLiteral elements: Dimension...) { dimensions = elements }

    /// `[2, 3, H, ?]`.
    public var description: String {
        "[" + dimensions.map(\.description).joined(separator: ", ") + "]"
    }
}

/// How many elements extents hold; nil when the product overflows or an extent is negative.
public func elementCount(of extents: [Int]) -> Int? {
    var count = 1
    var isEmpty = false
    for extent in extents {
        guard extent >= 0 else { return nil }
        if extent == 0 {
            isEmpty = true
            continue
        }
        let (product, overflow) = count.multipliedReportingOverflow(by: extent)
        guard !overflow else { return nil }
        count = product
    }
    return isEmpty ? 0 : count
}

/// Strides in elements of dense row-major extents.
package func rowMajorStrides(_ extents: [Int]) -> [Int] {
    var strides = [Int](repeating: 1, count: extents.count)
    for axis in extents.indices.dropLast().reversed() {
        strides[axis] = strides[axis + 1] &* Swift.max(extents[axis + 1], 1)
    }
    return strides
}
