package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A file in the making: written beside its name, and given the name when it is complete.
///
/// Until `finish` the old file stays as it is, whatever happens; what was written so far goes when this does.
package final class NewFile {
    private let path: String
    private let temporary: String
    private var descriptor: Int32
    /// The beginning of the next block.
    private var waiting: [UInt8] = []
    /// What the system is given in whole blocks of a large page, it keeps in large pages: whoever maps the file finds them
    /// sooner, and in fewer entries of a core's table of pages.
    private static let blockByteCount = Storage.largePage
    /// How many bytes were given so far.
    package private(set) var byteCount = 0

    /// Begins a file; `.system` when its folder takes none.
    package init(replacing name: String) throws(DCNError) {
        guard !name.isEmpty, !name.utf8.contains(0) else { throw Self.error(name, "is no name of a file") }
        path = Self.target(of: name)
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            throw Self.error(name, "is no regular file")
        }
        temporary = "\(path).\(getpid()).\(UInt32.random(in: 0 ... .max)).part"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw Self.error(name, systemReason()) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        unlink(temporary)
    }

    /// Appends bytes.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(DCNError) {
        byteCount += bytes.count
        var rest = bytes
        if !waiting.isEmpty {
            let taken = min(rest.count, Self.blockByteCount - waiting.count)
            waiting.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<taken]))
            guard waiting.count == Self.blockByteCount else { return }
            try flush()
            rest = UnsafeRawBufferPointer(rebasing: rest[taken...])
        }
        let whole = rest.count - rest.count % Self.blockByteCount
        try put(UnsafeRawBufferPointer(rebasing: rest[..<whole]))
        waiting.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[whole...]))
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws(DCNError) {
        var failure: DCNError?
        bytes.withUnsafeBytes { raw in
            do throws(DCNError) { try write(raw) } catch { failure = error }
        }
        if let failure { throw failure }
    }

    /// Appends zeros up to a multiple of `alignment` bytes.
    package func fill(to alignment: Int) throws(DCNError) {
        let rest = byteCount % alignment
        if rest > 0 { try write([UInt8](repeating: 0, count: alignment - rest)) }
    }

    /// Gives the file its name. Nothing can be written afterwards.
    package func finish() throws(DCNError) {
        try flush()
        guard fsync(descriptor) == 0 || errno == EINVAL else { throw Self.error(path, systemReason()) }
        guard rename(temporary, path) == 0 else { throw Self.error(path, systemReason()) }
        close(descriptor)
        descriptor = -1
    }

    private func flush() throws(DCNError) {
        var failure: DCNError?
        waiting.withUnsafeBytes { raw in
            do throws(DCNError) { try put(raw) } catch { failure = error }
        }
        waiting.removeAll(keepingCapacity: true)
        if let failure { throw failure }
    }

    private func put(_ bytes: UnsafeRawBufferPointer) throws(DCNError) {
        var rest = bytes
        while let base = rest.baseAddress, rest.count > 0 {
            // One call moves at most 2 GB.
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, base, min(rest.count, 1 << 30))
            #else
                let count = Darwin.write(descriptor, base, min(rest.count, 1 << 30))
            #endif
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path, systemReason()) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// What a link leads to, so that the link stays.
    static func target(of name: String) -> String {
        guard let resolved = realpath(name, nil) else { return name }
        defer { free(resolved) }
        return String(cString: resolved)
    }

    private static func error(_ path: String, _ reason: String) -> DCNError {
        DCNError(.system, .write, reason, at: Origin(file: path, path: ""))
    }
}
