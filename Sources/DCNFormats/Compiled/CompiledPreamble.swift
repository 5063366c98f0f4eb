internal import CKernels
internal import DCNGraph

/// The first 64 bytes of a compiled graph, numbers in the byte order of the machine that wrote it:
///
///      0  mark, and line ends that a transfer as text would change
///      8  0x01020304
///     12  format version
///     16  bytes of the header, which follows at 64
///     24  bytes of the whole file
///     32  checksum of the header
///     40  checksum of the first 40 bytes
///     48  zeros
struct CompiledPreamble {
    /// How the file begins: no protobuf message does.
    static let mark: [UInt8] = [0x93, 0x44, 0x43, 0x4e]
    private static let lineEnds: [UInt8] = [0x0d, 0x0a, 0x1a, 0x0a]
    private static let byteOrder: UInt32 = 0x0102_0304
    /// The version that is written, the only one that is read.
    static let version: UInt32 = 2
    /// Bytes of the preamble; sections begin at multiples of it.
    static let byteCount = 64

    let headerByteCount: Int
    let fileByteCount: Int
    let headerChecksum: UInt64

    /// The preamble of a file of a header and `sectionByteCount` bytes of sections.
    init(header: [UInt8], sectionByteCount: Int) {
        headerByteCount = header.count
        fileByteCount = Self.rounded(Self.byteCount + header.count) + sectionByteCount
        headerChecksum = header.withUnsafeBytes { dcn_checksum($0.baseAddress, $0.count) }
    }

    /// The bytes.
    var bytes: [UInt8] {
        var bytes = Self.mark + Self.lineEnds
        func append<T: FixedWidthInteger>(_ number: T) { withUnsafeBytes(of: number) { bytes += $0 } }
        append(Self.byteOrder)
        append(Self.version)
        append(UInt64(headerByteCount))
        append(UInt64(fileByteCount))
        append(headerChecksum)
        append(bytes.withUnsafeBytes { dcn_checksum($0.baseAddress, $0.count) })
        return bytes + [UInt8](repeating: 0, count: Self.byteCount - bytes.count)
    }

    /// Reads the preamble of a file, and checks that the file is as long as it says and its header whole.
    init(_ file: UnsafeRawBufferPointer) throws(CompiledFault) {
        guard file.starts(with: Self.mark) else { throw CompiledFault("is no compiled graph") }
        guard file.count >= Self.byteCount else {
            throw CompiledFault(
                "is truncated: it has \(file.count) bytes, expected at least \(Self.byteCount)")
        }
        guard file[4..<8].elementsEqual(Self.lineEnds) else {
            throw CompiledFault("is damaged: its line ends were changed, as by a transfer as text")
        }
        let order = file.loadUnaligned(fromByteOffset: 8, as: UInt32.self)
        guard order == Self.byteOrder else {
            let swapped = order == Self.byteOrder.byteSwapped
            throw CompiledFault(
                swapped
                    ? "was written on a machine of the other byte order: convert the model on this one"
                    : "is damaged: its byte order is not marked")
        }
        let version = file.loadUnaligned(fromByteOffset: 12, as: UInt32.self)
        guard version <= Self.version else {
            throw CompiledFault(
                "has format version \(version), newer than \(Self.version): it needs a newer version of this program"
            )
        }
        guard version == Self.version else {
            throw CompiledFault("has format version \(version), expected \(Self.version)")
        }
        guard file.loadUnaligned(fromByteOffset: 40, as: UInt64.self) == dcn_checksum(file.baseAddress, 40),
            file[48..<Self.byteCount].allSatisfy({ $0 == 0 })
        else { throw CompiledFault("is damaged: the checksum of its first bytes differs") }
        headerChecksum = file.loadUnaligned(fromByteOffset: 32, as: UInt64.self)
        let lengths = [16, 24].map { Int(clamping: file.loadUnaligned(fromByteOffset: $0, as: UInt64.self)) }
        (headerByteCount, fileByteCount) = (lengths[0], lengths[1])
        try check(file)
    }

    private func check(_ file: UnsafeRawBufferPointer) throws(CompiledFault) {
        guard file.count >= fileByteCount else {
            throw CompiledFault("is truncated: it has \(file.count) bytes, expected \(fileByteCount)")
        }
        guard file.count == fileByteCount else {
            throw CompiledFault("has \(file.count) bytes, expected \(fileByteCount)")
        }
        guard headerByteCount <= fileByteCount - Self.byteCount,
            Self.rounded(Self.byteCount + headerByteCount) <= fileByteCount
        else { throw CompiledFault("has a header that ends behind the file") }
        let header = UnsafeRawBufferPointer(rebasing: file[headerRange])
        guard dcn_checksum(header.baseAddress, header.count) == headerChecksum,
            file[headerRange.upperBound..<sectionStart].allSatisfy({ $0 == 0 })
        else { throw CompiledFault("is damaged: the checksum of its header differs") }
    }

    /// Where the header lies.
    var headerRange: Range<Int> { Self.byteCount..<Self.byteCount + headerByteCount }
    /// Where the first section begins.
    var sectionStart: Int { Self.rounded(headerRange.upperBound) }

    /// The next multiple of the sections' alignment.
    static func rounded(_ count: Int) -> Int { (count + byteCount - 1) / byteCount * byteCount }
}

/// Why a file is no compiled graph that can be read.
struct CompiledFault: Error {
    let reason: String
    init(_ reason: String) { self.reason = reason }

    /// The fault as an error of a file.
    func error(_ file: String) -> DCNError {
        DCNError(.model, .unpack, reason, at: Origin(file: file, path: ""))
    }
}
