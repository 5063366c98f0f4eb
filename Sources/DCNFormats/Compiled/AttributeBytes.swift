package import DCNGraph

/// Attributes as bytes: each value has one form only, so equal attributes give equal bytes.
///
///     0 null   1 false   2 true   3 int (zigzag varint)   4 float (8 bytes, least first)   5 text (count, UTF-8)
///     6 list (count, values)   7 record (count, then name and value each)
package enum AttributeBytes {
    /// Values within values.
    static let depthLimit = 32

    /// The bytes of a value.
    package static func encode(_ value: AttributeValue) -> [UInt8] {
        var bytes: [UInt8] = []
        append(value, to: &bytes)
        return bytes
    }

    /// The value of bytes; nil when they are none, or more than one.
    package static func decode(_ bytes: UnsafeBufferPointer<UInt8>) -> AttributeValue? {
        var reader = Reader(bytes: bytes)
        guard let value = reader.value(depth: 0), reader.position == bytes.count else { return nil }
        return value
    }

    private static func append(_ value: AttributeValue, to bytes: inout [UInt8]) {
        switch value {
        case .null: bytes.append(0)
        case .bool(let value): bytes.append(value ? 2 : 1)
        case .int(let value):
            bytes.append(3)
            append(UInt64(bitPattern: Int64((value << 1) ^ (value >> 63))), to: &bytes)
        case .float(let value):
            bytes.append(4)
            withUnsafeBytes(of: value.bitPattern.littleEndian) { bytes += $0 }
        case .text(let text):
            bytes.append(5)
            append(text, to: &bytes)
        case .list(let values):
            bytes.append(6)
            append(UInt64(values.count), to: &bytes)
            for value in values { append(value, to: &bytes) }
        case .record(let fields):
            bytes.append(7)
            append(UInt64(fields.count), to: &bytes)
            for field in fields {
                append(field.name, to: &bytes)
                append(field.value, to: &bytes)
            }
        }
    }

    private static func append(_ text: String, to bytes: inout [UInt8]) {
        append(UInt64(text.utf8.count), to: &bytes)
        bytes += text.utf8
    }

    private static func append(_ number: UInt64, to bytes: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }
}

private struct Reader {
    let bytes: UnsafeBufferPointer<UInt8>
    var position = 0

    mutating func value(depth: Int) -> AttributeValue? {
        guard depth < AttributeBytes.depthLimit, position < bytes.count else { return nil }
        position += 1
        switch bytes[position - 1] {
        case 0: return .null
        case 1: return .bool(false)
        case 2: return .bool(true)
        case 3:
            return number().map { .int(Int(truncatingIfNeeded: $0 >> 1) ^ -Int(truncatingIfNeeded: $0 & 1)) }
        case 4: return float()
        case 5: return text().map { .text($0) }
        case 6: return list(depth: depth)
        case 7: return record(depth: depth)
        default: return nil
        }
    }

    private mutating func list(depth: Int) -> AttributeValue? {
        guard let count = count() else { return nil }
        var values: [AttributeValue] = []
        for _ in 0..<count {
            guard let value = value(depth: depth + 1) else { return nil }
            values.append(value)
        }
        return .list(values)
    }

    private mutating func record(depth: Int) -> AttributeValue? {
        guard let count = count() else { return nil }
        var fields: [AttributeValue.Field] = []
        for _ in 0..<count {
            guard let name = text(), let value = value(depth: depth + 1) else { return nil }
            fields.append(.init(name: name, value: value))
        }
        return .record(fields)
    }

    private mutating func float() -> AttributeValue? {
        guard bytes.count - position >= 8 else { return nil }
        var bits: UInt64 = 0
        for index in 0..<8 { bits |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += 8
        return .float(Double(bitPattern: bits))
    }

    private mutating func text() -> String? {
        guard let count = count() else { return nil }
        defer { position += count }
        return String(validating: bytes[position..<position + count], as: UTF8.self)
    }

    /// A count of things that take at least one byte each.
    private mutating func count() -> Int? {
        guard let count = number().flatMap({ Int(exactly: $0) }), count <= bytes.count - position else {
            return nil
        }
        return count
    }

    private mutating func number() -> UInt64? {
        var number: UInt64 = 0
        var shift: UInt64 = 0
        while position < bytes.count, shift < 64 {
            let byte = bytes[position]
            position += 1
            if shift == 63 && byte > 1 { return nil }
            number |= UInt64(byte & 0x7f) << shift
            if byte < 0x80 { return number }
            shift += 7
        }
        return nil
    }
}
