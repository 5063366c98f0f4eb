public import DCNGraph

/// How much a model file may ask of us before its numbers are looked at.
public struct ReadingLimits: Sendable, Hashable {
    /// Messages within messages. A graph in a node's attribute is three levels.
    public var nesting = 256
    /// Nodes in all graphs and functions together, also after functions are expanded.
    public var nodes = 1 << 20
    /// Bytes of the unpacked file, numbers of tensors apart.
    public var unpackedByteCount = 512 << 20
    /// Graphs within nodes and functions within functions, together.
    public var depth = 100
    /// Bytes of one name, key or string.
    public var textByteCount = 16 << 20
    /// Bytes that sparse tensors may take together once their zeros are written out.
    public var denseByteCount = 256 << 20
    /// Bytes that numbers may take together that do not lie in the file as a tensor wants them.
    public var decodedByteCount = 1 << 40
    /// Bytes of constants that may be computed ahead; what is above is computed in the run.
    public var foldedByteCount = 256 << 20
    /// Bytes that weights may take together in the forms that kernels read.
    public var packedByteCount = 1 << 40
    /// How large one value may be said to be, in the file and in every run.
    public var values = ValueLimits()

    /// The limits that hold unless said otherwise.
    public init() {}

    /// These limits, none above what a process may take that is allowed `byteCount` bytes in all.
    public func within(_ byteCount: Int) -> ReadingLimits {
        var limits = self
        limits.unpackedByteCount = min(unpackedByteCount, byteCount)
        limits.denseByteCount = min(denseByteCount, byteCount)
        limits.decodedByteCount = min(decodedByteCount, byteCount)
        limits.foldedByteCount = min(foldedByteCount, byteCount / 4)
        limits.packedByteCount = min(packedByteCount, byteCount)
        return limits
    }

    /// What unpacking may take for a file whose structure has this many bytes: proportional, and never above
    /// `unpackedByteCount`.
    package func unpackedByteCount(forStructure byteCount: Int) -> Int {
        min(unpackedByteCount, 16 << 20 + min(byteCount, 1 << 40) * 64)
    }
}
