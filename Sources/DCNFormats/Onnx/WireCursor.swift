/// Why bytes are no protobuf message of the expected kind. Offsets count from the start of the file.
package enum WireFault: Error, Hashable, Sendable {
    case truncated(at: Int)
    case longVarint(at: Int)
    case key(UInt64, at: Int)
    case wireType(field: String, got: Int, at: Int)
    case packed(field: String, at: Int)
    case nesting(limit: Int, at: Int)
    case nodes(limit: Int)
    case memory(limit: Int)
    case text(Int, limit: Int, at: Int)
    case refused
}

extension WireFault: CustomStringConvertible {
    /// One sentence on what was found where.
    package var description: String {
        switch self {
        case .truncated(let offset): "what begins at byte \(offset) is longer than what holds it"
        case .longVarint(let offset): "the number at byte \(offset) has more than ten bytes"
        case .key(let key, let offset): "\(key) at byte \(offset) is no key of a field"
        case .wireType(let field, let got, let offset): "\(field) at byte \(offset) has wire type \(got)"
        case .packed(let field, let offset):
            "the numbers of \(field) at byte \(offset) do not fill their length"
        case .nesting(let limit, let offset): "messages are nested deeper than \(limit) at byte \(offset)"
        case .nodes(let limit): "there are more than \(limit) nodes"
        case .memory(let limit): "unpacking takes more than \(limit) bytes"
        case .text(let count, let limit, let offset):
            "the text at byte \(offset) has \(count) bytes, the limit is \(limit)"
        case .refused: "protobuf-c refused the message"
        }
    }
}

/// A place in bytes of protobuf that never leaves them.
struct WireCursor {
    let bytes: UnsafeRawBufferPointer
    var position = 0
    /// Where the innermost open message ends.
    var end: Int

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        end = bytes.count
    }

    /// A number of seven bits per byte, lowest first.
    mutating func varint() throws(WireFault) -> UInt64 {
        let start = position
        var value: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            guard position < end else { throw .truncated(at: start) }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return value }
        }
        throw .longVarint(at: start)
    }

    /// Steps over `count` bytes and says which they were.
    mutating func skip(_ count: UInt64, from start: Int) throws(WireFault) -> Range<Int> {
        guard count <= UInt64(end - position) else { throw .truncated(at: start) }
        let first = position
        position += Int(count)
        return first..<position
    }

    /// The next field: its number, its wire type and where its payload lies (a varint's own bytes for type 0).
    mutating func field() throws(WireFault) -> WireField {
        let start = position
        let key = try varint()
        let number = key >> 3
        guard key <= UInt64(UInt32.max), number > 0 else { throw .key(key, at: start) }
        let payload: Range<Int>
        switch key & 7 {
        case 0:
            let first = position
            _ = try varint()
            payload = first..<position
        case 1: payload = try skip(8, from: start)
        case 2: payload = try skip(try varint(), from: start)
        case 5: payload = try skip(4, from: start)
        default: throw .key(key, at: start)
        }
        return WireField(number: UInt32(number), wireType: UInt8(key & 7), start: start, payload: payload)
    }
}

/// One field as it lies on the wire.
struct WireField {
    let number: UInt32
    /// 0 varint, 1 eight bytes, 2 bytes with their length before them, 5 four bytes.
    let wireType: UInt8
    /// Where its key begins.
    let start: Int
    let payload: Range<Int>
}
