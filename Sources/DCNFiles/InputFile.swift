package import DCN
internal import DCNFormats

/// The bytes of a file that somebody gave as input, mapped or in memory.
package final class InputFile {
    /// The path as it was given.
    package let path: String
    private let file: MappedFile

    /// Opens a file; an `input` error when it can't be had.
    package init(path: String) throws(DCNError) {
        self.path = path
        do { file = try MappedFile(path: path) } catch {
            var error = error
            error.kind = .input
            throw error
        }
    }

    /// Bytes that are in memory already, copied; errors call them `name`.
    package init(copying bytes: [UInt8], named name: String) {
        path = name
        file = MappedFile(copying: bytes)
    }

    /// The bytes, valid while this lives.
    package var bytes: UnsafeRawBufferPointer { file.bytes }

    /// An `input` error about this file.
    package func error(_ reason: String) -> DCNError { inputError(path, reason) }
}

/// An `input` error about a file.
package func inputError(_ path: String, _ reason: String) -> DCNError {
    DCNError(.input, .read, reason, at: Origin(file: path, path: ""))
}

extension UnsafeRawBufferPointer {
    /// Whether the bytes begin with these.
    func begins(with bytes: [UInt8]) -> Bool {
        count >= bytes.count && zip(self, bytes).allSatisfy { $0 == $1 }
    }

    /// `width` bytes at `offset` as a little-endian number; nil outside, or where it is above `Int.max`.
    func littleEndian(at offset: Int, width: Int) -> Int? {
        guard offset >= 0, width <= 8, offset <= count - width else { return nil }
        var number: UInt64 = 0
        for index in 0..<width { number |= UInt64(self[offset + index]) << UInt64(8 * index) }
        return Int(exactly: number)
    }

    /// A part of the bytes; nil where it runs past the end.
    func part(_ offset: Int, _ length: Int) -> UnsafeRawBufferPointer? {
        guard offset >= 0, length >= 0, offset <= count, length <= count - offset else { return nil }
        return UnsafeRawBufferPointer(rebasing: self[offset..<offset + length])
    }
}

extension [UInt8] {
    /// Lends the bytes to a body that throws one type of error.
    func lent<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        let result: Result<R, E> = withUnsafeBytes { buffer in
            do throws(E) { return .success(try body(buffer)) } catch { return .failure(error) }
        }
        return try result.get()
    }
}
