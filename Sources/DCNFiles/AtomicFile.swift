package import DCN

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// A file being written: a temporary neighbour that takes the name when `commit` is called, and goes when it is not.
///
/// What is no regular file (a terminal, a pipe, `/dev/null`) is written straight.
package final class AtomicFile {
    private let path: String
    private let temporary: String?
    private var descriptor: Int32
    private var isCommitted = false
    /// Bytes written so far.
    package private(set) var byteCount = 0

    /// Opens a temporary file beside `path`; a `system` error when that can't be.
    package init(path: String) throws(DCNError) {
        self.path = path
        var status = stat()
        if stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
            temporary = nil
            guard status.st_mode & S_IFMT != S_IFDIR else { throw Self.error(path, "is a folder") }
            descriptor = open(path, O_WRONLY | O_CLOEXEC)
        } else {
            let name = "\(path).\(getpid())-\(UInt32.random(in: 0...UInt32.max)).part"
            temporary = name
            descriptor = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        }
        guard descriptor >= 0 else { throw Self.error(path, String(cString: strerror(errno))) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if !isCommitted, let temporary { unlink(temporary) }
    }

    /// Appends bytes; a `system` error when there is no room.
    package func write(_ bytes: UnsafeRawBufferPointer) throws(DCNError) {
        var rest = bytes
        while let base = rest.baseAddress, !rest.isEmpty {
            #if canImport(Glibc)
                let count = Glibc.write(descriptor, base, rest.count)
            #else
                let count = Darwin.write(descriptor, base, rest.count)
            #endif
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Self.error(path, String(cString: strerror(errno))) }
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
        byteCount += bytes.count
    }

    /// Appends bytes.
    package func write(_ bytes: [UInt8]) throws(DCNError) {
        try bytes.lent { (buffer) throws(DCNError) in try write(buffer) }
    }

    /// Gives the file its name; a `system` error when the system refuses.
    package func commit() throws(DCNError) {
        let closed = close(descriptor)
        descriptor = -1
        guard closed == 0 else { throw Self.error(path, String(cString: strerror(errno))) }
        if let temporary, rename(temporary, path) != 0 {
            throw Self.error(path, String(cString: strerror(errno)))
        }
        isCommitted = true
    }

    private static func error(_ path: String, _ reason: String) -> DCNError {
        DCNError(.system, .write, reason, at: Origin(file: path, path: ""))
    }
}

/// Writes a whole file, or none.
package func writeFile(_ path: String, _ bytes: [UInt8]) throws(DCNError) {
    let file = try AtomicFile(path: path)
    try file.write(bytes)
    try file.commit()
}

/// Writes text as a whole file, or none.
package func writeFile(_ path: String, _ text: String) throws(DCNError) {
    try writeFile(path, Array(text.utf8))
}

/// Makes a folder and those above it, unless they are there.
package func makeFolder(_ path: String) throws(DCNError) {
    var status = stat()
    if stat(path, &status) == 0 {
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw DCNError(.system, .write, "is no folder", at: Origin(file: path, path: ""))
        }
        return
    }
    if let slash = path.dropLast().lastIndex(of: "/"), slash != path.startIndex {
        try makeFolder(String(path[..<slash]))
    }
    guard mkdir(path, 0o777) == 0 || errno == EEXIST else {
        throw DCNError(.system, .write, String(cString: strerror(errno)), at: Origin(file: path, path: ""))
    }
}
