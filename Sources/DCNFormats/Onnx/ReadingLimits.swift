/// How much a model file may ask of us before its numbers are looked at.
public struct ReadingLimits: Sendable, Hashable {
    /// Messages within messages. A graph in a node's attribute is three levels.
    public var nesting = 256
    /// Nodes in all graphs and functions together, also after functions are expanded.
    public var nodes = 1 << 20
    /// Bytes of the unpacked file, numbers of tensors apart.
    public var unpackedByteCount = 512 << 20
    /// Bytes that a sparse tensor may take once its zeros are written out.
    public var denseByteCount = 256 << 20

    /// The limits that hold unless said otherwise.
    public init() {}

    /// What unpacking may take for a file whose structure has this many bytes: proportional, and never above
    /// `unpackedByteCount`.
    package func unpackedByteCount(forStructure byteCount: Int) -> Int {
        min(unpackedByteCount, 16 << 20 + min(byteCount, 1 << 40) * 64)
    }
}
