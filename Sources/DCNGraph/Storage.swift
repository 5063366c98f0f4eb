#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A block of bytes with one owner: allocated by us, or lent by whoever keeps `owner` alive (a mapped file).
public final class Storage: @unchecked Sendable {
    /// Where the bytes begin; never null, also when there are none.
    package let base: UnsafeMutableRawPointer
    /// How many bytes there are.
    public let byteCount: Int
    private let owner: AnyObject?

    /// Tensors begin at multiples of this.
    package static let alignment = 64

    /// Pages that large blocks are asked to lie in: planes and rows far apart then need few entries of a core's table
    /// of pages.
    package static let largePage = 2 << 20

    /// Uninitialised bytes, aligned to a cache line; large blocks to a large page.
    package init(uninitialised byteCount: Int) {
        self.byteCount = byteCount
        owner = nil
        guard byteCount >= Self.largePage else {
            base = .allocate(byteCount: max(1, byteCount), alignment: Self.alignment)
            return
        }
        base = .allocate(byteCount: byteCount, alignment: Self.largePage)
        #if os(Linux)
            // Whole pages only: nothing is taken that was not asked for. A system that has none refuses, at no harm.
            madvise(base, byteCount & ~(Self.largePage - 1), MADV_HUGEPAGE)
        #endif
    }

    /// Bytes that somebody else owns; `owner` is kept alive as long as this is.
    package init(lending bytes: UnsafeRawBufferPointer, owner: AnyObject) {
        byteCount = bytes.count
        base = UnsafeMutableRawPointer(mutating: bytes.baseAddress ?? Self.nowhere)
        self.owner = owner
    }

    deinit {
        if owner == nil { base.deallocate() }
    }

    /// A valid address for what has no bytes.
    package static var nowhere: UnsafeRawPointer {
        // Safe: never read, only compared and passed with a count of zero.
        UnsafeRawPointer(nowhereBlock)
    }
    nonisolated(unsafe) private static let nowhereBlock = UnsafeMutableRawPointer.allocate(
        byteCount: 64, alignment: 64)
}
