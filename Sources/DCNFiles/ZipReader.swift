internal import CImage
package import DCN

/// The entries of a zip file, stored or deflated, zip64 included; unpacked one at a time, when asked for.
package final class ZipReader {
    private let file: InputFile
    private let entries: [String: Entry]
    /// The names of the entries, in order of the file.
    package let names: [String]

    private struct Entry {
        var name: String
        var method: Int
        var checksum: Int
        var packed: Int
        var unpacked: Int
        var offset: Int
        var isEncrypted: Bool
    }

    /// Reads the list of entries; an `input` error when there is none.
    package init(_ file: InputFile) throws(DCNError) {
        self.file = file
        let list: [Entry]
        do { list = try Self.list(file.bytes) } catch { throw file.error(error.reason) }
        names = list.map(\.name)
        entries = Dictionary(list.map { ($0.name, $0) }, uniquingKeysWith: { _, last in last })
    }

    /// The bytes of an entry, lent to `body`; nil when there is no such entry. An entry of more than `byteLimit` bytes
    /// is refused, and so is one whose size is more than its deflated bytes can stand for.
    func withEntry<R>(
        _ name: String, byteLimit: Int, _ body: (UnsafeRawBufferPointer) throws(NpyFault) -> R
    ) throws(DCNError) -> R? {
        guard let entry = entries[name] else { return nil }
        do throws(NpyFault) {
            let packed = try packedBytes(entry)
            if entry.method == 0 {
                guard entry.packed == entry.unpacked else { throw NpyFault(reason: "has two sizes") }
                return try checked(packed, entry, body)
            }
            guard entry.method == 8 else {
                throw NpyFault(reason: "is packed by method \(entry.method), expected deflate")
            }
            guard entry.unpacked <= dcn_inflate_bound(entry.packed) else {
                throw NpyFault(reason: "says it holds \(entry.unpacked) bytes, more than is possible")
            }
            let limit = min(byteLimit, Self.inflatedLimit(packedByteCount: entry.packed))
            guard entry.unpacked <= limit else {
                throw NpyFault(
                    reason: "says it holds \(entry.unpacked) bytes, the limit for its size is \(limit)")
            }
            let room = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(1, entry.unpacked), alignment: 64)
            defer { room.deallocate() }
            var written = 0
            let status = dcn_inflate(
                packed.assumingMemoryBound(to: UInt8.self).baseAddress, packed.count,
                room.assumingMemoryBound(to: UInt8.self).baseAddress, entry.unpacked, &written)
            guard status == DCN_IMAGE_OK, written == entry.unpacked else {
                throw NpyFault(reason: "is damaged")
            }
            return try checked(UnsafeRawBufferPointer(rebasing: room[..<written]), entry, body)
        } catch { throw file.error("entry '\(escaped(name))' \(error.reason)") }
    }

    /// The most bytes that an entry of so many deflated bytes may hold: what is small may be zeros throughout, what is
    /// large must bring something.
    static func inflatedLimit(packedByteCount: Int) -> Int {
        max(1 << 28, min(packedByteCount, 1 << 40) * 64)
    }

    private func checked<R>(
        _ bytes: UnsafeRawBufferPointer, _ entry: Entry,
        _ body: (UnsafeRawBufferPointer) throws(NpyFault) -> R
    ) throws(NpyFault) -> R {
        let sum = dcn_crc32(0, bytes.assumingMemoryBound(to: UInt8.self).baseAddress, bytes.count)
        guard Int(sum) == entry.checksum else { throw NpyFault(reason: "is damaged: its checksum differs") }
        return try body(bytes)
    }

    private func packedBytes(_ entry: Entry) throws(NpyFault) -> UnsafeRawBufferPointer {
        let bytes = file.bytes
        guard !entry.isEncrypted else { throw NpyFault(reason: "is encrypted") }
        guard bytes.littleEndian(at: entry.offset, width: 4) == 0x0403_4b50,
            let name = bytes.littleEndian(at: entry.offset + 26, width: 2),
            let extra = bytes.littleEndian(at: entry.offset + 28, width: 2),
            let data = bytes.part(entry.offset + 30 + name + extra, entry.packed)
        else { throw NpyFault(reason: "runs past the end of the file") }
        return data
    }

    // MARK: the list of entries

    private static func list(_ bytes: UnsafeRawBufferPointer) throws(NpyFault) -> [Entry] {
        let broken = NpyFault(reason: "is no zip file, or is cut short")
        guard let (first, count) = directory(bytes) else { throw broken }
        var start = first
        guard count <= bytes.count / 46 else { throw broken }
        var list: [Entry] = []
        for _ in 0..<count {
            guard let entry = entry(bytes, at: &start) else { throw broken }
            list.append(entry)
        }
        return list
    }

    /// Where the list begins and how many entries it has.
    private static func directory(_ bytes: UnsafeRawBufferPointer) -> (Int, Int)? {
        guard bytes.count >= 22 else { return nil }
        for end in stride(from: bytes.count - 22, through: max(0, bytes.count - 22 - 0xFFFF), by: -1) {
            guard bytes.littleEndian(at: end, width: 4) == 0x0605_4b50,
                let comment = bytes.littleEndian(at: end + 20, width: 2), end + 22 + comment == bytes.count,
                let count = bytes.littleEndian(at: end + 10, width: 2),
                let start = bytes.littleEndian(at: end + 16, width: 4)
            else { continue }
            guard count == 0xFFFF || start == 0xFFFF_FFFF, end >= 20,
                bytes.littleEndian(at: end - 20, width: 4) == 0x0706_4b50
            else { return (start, count) }
            guard let wide = bytes.littleEndian(at: end - 12, width: 8), wide <= bytes.count,
                bytes.littleEndian(at: wide, width: 4) == 0x0606_4b50,
                let count = bytes.littleEndian(at: wide + 32, width: 8),
                let start = bytes.littleEndian(at: wide + 48, width: 8)
            else { return nil }
            return (start, count)
        }
        return nil
    }

    private static func entry(_ bytes: UnsafeRawBufferPointer, at place: inout Int) -> Entry? {
        guard place <= bytes.count, bytes.littleEndian(at: place, width: 4) == 0x0201_4b50,
            let flags = bytes.littleEndian(at: place + 8, width: 2),
            let method = bytes.littleEndian(at: place + 10, width: 2),
            let checksum = bytes.littleEndian(at: place + 16, width: 4),
            let packed = bytes.littleEndian(at: place + 20, width: 4),
            let unpacked = bytes.littleEndian(at: place + 24, width: 4),
            let nameCount = bytes.littleEndian(at: place + 28, width: 2),
            let extraCount = bytes.littleEndian(at: place + 30, width: 2),
            let commentCount = bytes.littleEndian(at: place + 32, width: 2),
            let offset = bytes.littleEndian(at: place + 42, width: 4),
            let name = bytes.part(place + 46, nameCount),
            let extra = bytes.part(place + 46 + nameCount, extraCount)
        else { return nil }
        var entry = Entry(
            name: String(decoding: name, as: UTF8.self), method: method, checksum: checksum, packed: packed,
            unpacked: unpacked, offset: offset, isEncrypted: flags & 1 != 0)
        guard widen(&entry, extra), entry.offset <= bytes.count else { return nil }
        place += 46 + nameCount + extraCount + commentCount
        return entry
    }

    /// Takes the numbers that did not fit 32 bits from the extra fields; false when they are not there.
    private static func widen(_ entry: inout Entry, _ extra: UnsafeRawBufferPointer) -> Bool {
        let all = 0xFFFF_FFFF
        guard entry.unpacked == all || entry.packed == all || entry.offset == all else { return true }
        var place = 0
        while let tag = extra.littleEndian(at: place, width: 2),
            let size = extra.littleEndian(at: place + 2, width: 2)
        {
            guard let field = extra.part(place + 4, size) else { return false }
            place += 4 + size
            guard tag == 1 else { continue }
            var inner = 0
            for part in [\Entry.unpacked, \Entry.packed, \Entry.offset] where entry[keyPath: part] == all {
                guard let number = field.littleEndian(at: inner, width: 8) else { return false }
                entry[keyPath: part] = number
                inner += 8
            }
            return true
        }
        return true
    }
}
