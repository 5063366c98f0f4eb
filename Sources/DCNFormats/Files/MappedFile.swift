package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Whether a file is read through the system's page cache or taken into memory of our own.
public enum FileMapping: Sendable, Hashable {
    /// Costs no memory of ours; but who shortens the file in place meanwhile kills its reader (SIGBUS).
    case mapped
    /// Immune to what others do to the file.
    case copied
}

/// A file's bytes, unchangeable, for as long as someone holds this.
package final class MappedFile: @unchecked Sendable {
    /// The bytes of the whole file.
    package let bytes: UnsafeRawBufferPointer
    private let owner: Owner

    private enum Owner { case mapping, allocation }

    /// Opens a regular file; `.system` with the system's reason when it can't be.
    package init(path: String, mapping: FileMapping = .mapped, isLinkAllowed: Bool = true) throws(DCNError) {
        guard !path.utf8.contains(0) else { throw systemError(path, "its name has a NUL") }
        // Not blocking: a pipe without a writer would keep us waiting before we can see that it is one.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (isLinkAllowed ? 0 : O_NOFOLLOW))
        guard descriptor >= 0 else { throw systemError(path, systemReason()) }
        defer { close(descriptor) }
        (bytes, owner) = try Self.contents(of: descriptor, path: path, mapping: mapping)
    }

    /// Bytes that are in memory already, copied.
    package init(copying source: [UInt8]) {
        let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: source.count, alignment: 64)
        copy.copyBytes(from: source)
        bytes = UnsafeRawBufferPointer(copy)
        owner = .allocation
    }

    deinit {
        guard let base = bytes.baseAddress else { return }
        // Safe: made by `contents`, and nobody holds the bytes without holding this.
        let block = UnsafeMutableRawPointer(mutating: base)
        switch owner {
        case .mapping: munmap(block, bytes.count)
        case .allocation: block.deallocate()
        }
    }

    /// The same bytes as a storage for tensors, which keeps the file.
    package var storage: Storage { Storage(lending: bytes, owner: self) }

    private static func contents(
        of descriptor: Int32, path: String, mapping: FileMapping
    ) throws(DCNError) -> (UnsafeRawBufferPointer, Owner) {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw systemError(path, systemReason()) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw systemError(path, "is no regular file") }
        guard let count = Int(exactly: status.st_size), count > 0 else {
            return (UnsafeRawBufferPointer(start: nil, count: 0), .allocation)
        }
        if mapping == .copied { return (try copy(count, of: descriptor, path: path), .allocation) }
        guard let block = mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0), block != MAP_FAILED else {
            throw systemError(path, systemReason())
        }
        #if os(Linux)
            // What is not in the system's cache yet is read into large pages. A system that has none refuses, at no harm.
            if count >= Storage.largePage { madvise(block, count, MADV_HUGEPAGE) }
        #endif
        return (UnsafeRawBufferPointer(start: block, count: count), .mapping)
    }

    private static func copy(
        _ count: Int, of descriptor: Int32, path: String
    ) throws(DCNError) -> UnsafeRawBufferPointer {
        // Safe: freed with `deallocate`, which is `free` for this alignment.
        guard let block = malloc(count) else { throw systemError(path, "no memory for \(count) bytes") }
        var filled = 0
        while filled < count {
            let got = read(descriptor, block + filled, count - filled)
            if got < 0 && errno == EINTR { continue }
            guard got > 0 else {
                let reason = got == 0 ? "became shorter while it was read" : systemReason()
                free(block)
                throw systemError(path, reason)
            }
            filled += got
        }
        return UnsafeRawBufferPointer(start: block, count: count)
    }
}

/// A file that the system does not give.
package func systemError(_ path: String, _ reason: String) -> DCNError {
    DCNError(.system, .open, reason, at: Origin(file: path, path: ""))
}

/// What the system says of the last call that failed.
package func systemReason() -> String { String(cString: strerror(errno)) }
