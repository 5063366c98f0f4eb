/// The elements of a sequence, whose bytes are counted as they come and go.
public struct DatumList: Sendable {
    private var elements: [Datum] = []
    /// Bytes that the elements take, and the places for them.
    package private(set) var heldByteCount = 0

    /// A list of these elements, in order.
    public init(_ elements: some Sequence<Datum>) {
        self.elements = Array(elements)
        heldByteCount = self.elements.reduce(0) { $0 + Self.place + $1.heldByteCount }
    }

    /// Puts an element before a position; the end is one.
    public mutating func insert(_ element: Datum, at position: Int) {
        elements.insert(element, at: position)
        heldByteCount += Self.place + element.heldByteCount
    }

    /// Takes an element out.
    public mutating func remove(at position: Int) {
        heldByteCount -= Self.place + elements.remove(at: position).heldByteCount
    }

    private static let place = 64
}

extension DatumList: RandomAccessCollection {
    /// The first position.
    public var startIndex: Int { 0 }
    /// The position behind the last.
    public var endIndex: Int { elements.count }
    /// The element at a position.
    public subscript(position: Int) -> Datum { elements[position] }
}

extension DatumList: ExpressibleByArrayLiteral {
    /// A list of these elements, in order.
    public init(arrayLiteral elements: Datum...) { self.init(elements) }
}
