package import DCN

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Standard output and standard error. Whoever stops reading stops the printing, not the work.
package enum Console {
    /// Makes writing to a closed pipe an error that is answered here, not a signal.
    package static func prepare() { signal(SIGPIPE, SIG_IGN) }

    /// A line of results; a `system` error when the system has no room for it.
    package static func print(_ line: String) throws(DCNError) {
        let status = write(line + "\n", to: STDOUT_FILENO)
        guard status == 0 || status == EPIPE else {
            throw DCNError(
                .system, .write, String(cString: strerror(status)),
                at: Origin(file: "standard output", path: ""))
        }
    }

    /// A line of narration.
    package static func note(_ line: String) { _ = write(line + "\n", to: STDERR_FILENO) }

    /// Whether colours are welcome on standard output.
    package static var hasColours: Bool {
        isatty(STDOUT_FILENO) == 1 && (environment("NO_COLOR") ?? "").isEmpty && environment("TERM") != "dumb"
    }

    /// Text in red or green, where colours are welcome.
    package static func coloured(_ text: String, good: Bool) -> String {
        hasColours ? "\u{1B}[\(good ? 32 : 31)m\(text)\u{1B}[0m" : text
    }

    /// Zero, or why not everything was written.
    private static func write(_ text: String, to descriptor: Int32) -> Int32 {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { bytes in
                #if canImport(Glibc)
                    Glibc.write(descriptor, bytes.baseAddress, bytes.count)
                #else
                    Darwin.write(descriptor, bytes.baseAddress, bytes.count)
                #endif
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return errno }
            rest = rest.dropFirst(count)
        }
        return 0
    }
}

/// The value of an environment variable.
package func environment(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
