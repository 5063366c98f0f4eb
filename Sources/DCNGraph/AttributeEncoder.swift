/// Turns any `Encodable` value into attribute values.
package enum AttributeEncoder {
    /// The attributes of `value`.
    package static func encode(_ value: some Encodable) throws -> AttributeValue {
        try encoded(value).value
    }
}

/// A part of the tree while it is being built.
private final class Part {
    enum Content {
        case leaf(AttributeValue)
        case list([Part])
        case record([(name: String, part: Part)])
    }
    var content: Content

    init(_ content: Content) { self.content = content }

    var value: AttributeValue {
        switch content {
        case .leaf(let value): value
        case .list(let parts): .list(parts.map(\.value))
        case .record(let fields): .record(fields.map { .init(name: $0.name, value: $0.part.value) })
        }
    }

    func append(_ part: Part) {
        guard case .list(var parts) = content else { return }
        // The list has one owner while it grows.
        content = .leaf(.null)
        parts.append(part)
        content = .list(parts)
    }

    func set(_ name: String, _ part: Part) {
        guard case .record(var fields) = content else { return }
        content = .leaf(.null)
        fields.append((name, part))
        content = .record(fields)
    }
}

private func encoded(_ value: some Encodable) throws -> Part {
    switch value {
    case let value as Bool: return Part(.leaf(.bool(value)))
    case let value as String: return Part(.leaf(.text(value)))
    case let value as Float: return Part(.leaf(.float(Double(value))))
    case let value as Double: return Part(.leaf(.float(value)))
    case let value as any BinaryInteger: return Part(.leaf(.int(Int(clamping: value))))
    default:
        let part = Part(.record([]))
        try value.encode(to: TreeEncoder(part: part))
        return part
    }
}

private struct TreeEncoder: Encoder {
    let part: Part
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(Keyed<Key>(part: part))
    }
    func unkeyedContainer() -> any UnkeyedEncodingContainer {
        part.content = .list([])
        return Unkeyed(part: part)
    }
    func singleValueContainer() -> any SingleValueEncodingContainer { Single(part: part) }
}

private struct Keyed<Key: CodingKey>: KeyedEncodingContainerProtocol {
    let part: Part
    var codingPath: [any CodingKey] { [] }

    func encodeNil(forKey key: Key) throws { part.set(key.stringValue, Part(.leaf(.null))) }
    func encode<T: Encodable>(_ value: T, forKey key: Key) throws {
        part.set(key.stringValue, try encoded(value))
    }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        let inner = Part(.record([]))
        part.set(key.stringValue, inner)
        return KeyedEncodingContainer(Keyed<Nested>(part: inner))
    }
    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
        let inner = Part(.list([]))
        part.set(key.stringValue, inner)
        return Unkeyed(part: inner)
    }
    func superEncoder() -> any Encoder { TreeEncoder(part: part) }
    func superEncoder(forKey key: Key) -> any Encoder {
        let inner = Part(.record([]))
        part.set(key.stringValue, inner)
        return TreeEncoder(part: inner)
    }
}

private struct Unkeyed: UnkeyedEncodingContainer {
    let part: Part
    var codingPath: [any CodingKey] { [] }
    var count: Int { if case .list(let parts) = part.content { parts.count } else { 0 } }

    func encodeNil() throws { part.append(Part(.leaf(.null))) }
    func encode<T: Encodable>(_ value: T) throws { part.append(try encoded(value)) }
    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        let inner = Part(.record([]))
        part.append(inner)
        return KeyedEncodingContainer(Keyed<Nested>(part: inner))
    }
    func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
        let inner = Part(.list([]))
        part.append(inner)
        return Unkeyed(part: inner)
    }
    func superEncoder() -> any Encoder {
        let inner = Part(.record([]))
        part.append(inner)
        return TreeEncoder(part: inner)
    }
}

private struct Single: SingleValueEncodingContainer {
    let part: Part
    var codingPath: [any CodingKey] { [] }
    func encodeNil() throws { part.content = .leaf(.null) }
    func encode<T: Encodable>(_ value: T) throws { part.content = try encoded(value).content }
}
