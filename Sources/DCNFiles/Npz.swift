internal import CImage
package import DCN

/// The arrays of a `.npz` file, read one at a time.
package final class NpzReader {
    private let zip: ZipReader
    private let byteLimit: Int
    /// The names of the arrays.
    package let names: [String]

    /// Opens a file; arrays of more than `byteLimit` bytes are refused when they are deflated.
    package convenience init(path: String, byteLimit: Int = 1 << 34) throws(DCNError) {
        try self.init(InputFile(path: path), byteLimit: byteLimit)
    }

    /// The same of a file that is open.
    package init(_ file: InputFile, byteLimit: Int = 1 << 34) throws(DCNError) {
        zip = try ZipReader(file)
        self.byteLimit = byteLimit
        names = zip.names.map { $0.hasSuffix(".npy") ? String($0.dropLast(4)) : $0 }
    }

    /// The array of a name, nil when there is none.
    package func tensor(_ name: String, wanted: ElementType? = nil) throws(DCNError) -> Tensor? {
        for entry in [name + ".npy", name] {
            let found = try zip.withEntry(entry, byteLimit: byteLimit) { (bytes) throws(NpyFault) in
                try decodeNpy(bytes, wanted: wanted)
            }
            if let found { return found }
        }
        return nil
    }
}

/// Writes arrays by name as a `.npz` file, stored, zip64 where sizes need it.
package func writeNpz(_ path: String, _ arrays: [(name: String, tensor: Tensor)]) throws(DCNError) {
    let file = try AtomicFile(path: path)
    var directory: [UInt8] = []
    for (name, tensor) in arrays {
        let image = NpyImage(tensor)
        var sum: UInt32 = 0
        try image.write { (bytes) throws(DCNError) in
            sum = dcn_crc32(sum, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        }
        let entry = ZipEntry(
            name: Array("\(name).npy".utf8), sum: sum, byteCount: image.byteCount, offset: file.byteCount)
        try file.write(entry.local)
        try image.write { (bytes) throws(DCNError) in try file.write(bytes) }
        directory += entry.central
    }
    let start = file.byteCount
    try file.write(directory)
    try file.write(ZipEntry.end(count: arrays.count, start: start, byteCount: directory.count))
    try file.commit()
}

/// One stored entry of a zip file being written.
private struct ZipEntry {
    let name: [UInt8]
    let sum: UInt32
    let byteCount: Int
    let offset: Int

    private static let all = 0xFFFF_FFFF
    private var isWide: Bool { byteCount >= Self.all || offset >= Self.all }
    /// Version needed, flag for UTF-8 names, stored, midnight of 1 January 1980.
    private var beginning: [UInt8] {
        bytes(45, 2) + bytes(0x800, 2) + bytes(0, 2) + bytes(0, 2) + bytes(0x21, 2)
    }
    private var sizes: [UInt8] {
        let size = isWide ? Self.all : byteCount
        return bytes(Int(sum), 4) + bytes(size, 4) + bytes(size, 4) + bytes(name.count, 2)
    }

    var local: [UInt8] {
        let extra = isWide ? bytes(1, 2) + bytes(16, 2) + bytes(byteCount, 8) + bytes(byteCount, 8) : []
        return bytes(0x0403_4b50, 4) + beginning + sizes + bytes(extra.count, 2) + name + extra
    }

    var central: [UInt8] {
        let extra =
            isWide
            ? bytes(1, 2) + bytes(24, 2) + bytes(byteCount, 8) + bytes(byteCount, 8) + bytes(offset, 8) : []
        return bytes(0x0201_4b50, 4) + bytes(45, 2) + beginning + sizes + bytes(extra.count, 2) + bytes(0, 2)
            + bytes(0, 2) + bytes(0, 2) + bytes(0, 4) + bytes(isWide ? Self.all : offset, 4) + name + extra
    }

    static func end(count: Int, start: Int, byteCount: Int) -> [UInt8] {
        var end: [UInt8] = []
        let isWide = count >= 0xFFFF || start >= all || byteCount >= all
        if isWide {
            end +=
                bytes(0x0606_4b50, 4) + bytes(44, 8) + bytes(45, 2) + bytes(45, 2) + bytes(0, 4) + bytes(0, 4)
            end += bytes(count, 8) + bytes(count, 8) + bytes(byteCount, 8) + bytes(start, 8)
            end += bytes(0x0706_4b50, 4) + bytes(0, 4) + bytes(start + byteCount, 8) + bytes(1, 4)
        }
        let shown = isWide ? (0xFFFF, all, all) : (count, byteCount, start)
        return end + bytes(0x0605_4b50, 4) + bytes(0, 4) + bytes(shown.0, 2) + bytes(shown.0, 2)
            + bytes(shown.1, 4)
            + bytes(shown.2, 4) + bytes(0, 2)
    }
}

/// A number as little-endian bytes.
private func bytes(_ number: Int, _ width: Int) -> [UInt8] {
    (0..<width).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) }
}
