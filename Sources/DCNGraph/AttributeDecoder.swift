/// Makes any `Decodable` value from attribute values; what does not fit throws.
package enum AttributeDecoder {
    /// A value of type `T` with these attributes.
    package static func decode<T: Decodable>(_ type: T.Type, from value: AttributeValue) throws -> T {
        try decoded(type, value)
    }
}

private func mismatch<T>(_ type: T.Type, _ value: AttributeValue) -> DecodingError {
    .typeMismatch(type, .init(codingPath: [], debugDescription: "\(value) is no \(type)"))
}

private func decoded<T: Decodable>(_ type: T.Type, _ value: AttributeValue) throws -> T {
    switch (type, value) {
    case (is Bool.Type, .bool(let leaf)): if let leaf = leaf as? T { return leaf }
    case (is String.Type, .text(let leaf)): if let leaf = leaf as? T { return leaf }
    case (is Float.Type, .float(let leaf)): if let leaf = Float(leaf) as? T { return leaf }
    case (is Double.Type, .float(let leaf)): if let leaf = leaf as? T { return leaf }
    case (let integer as any BinaryInteger.Type, .int(let leaf)):
        func exactly<I: BinaryInteger>(_ type: I.Type) -> T? { I(exactly: leaf) as? T }
        if let leaf = exactly(integer) { return leaf }
    case (is Bool.Type, _), (is String.Type, _), (is Float.Type, _), (is Double.Type, _),
        (is any BinaryInteger.Type, _):
        break
    default: return try T(from: TreeDecoder(value: value))
    }
    throw mismatch(type, value)
}

private struct TreeDecoder: Decoder {
    let value: AttributeValue
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        guard case .record(let fields) = value else { throw mismatch([String: String].self, value) }
        return KeyedDecodingContainer(Keyed<Key>(fields: fields))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        guard case .list(let values) = value else { throw mismatch([String].self, value) }
        return Unkeyed(values: values)
    }
    func singleValueContainer() -> any SingleValueDecodingContainer { Single(value: value) }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let fields: [AttributeValue.Field]
    var codingPath: [any CodingKey] { [] }
    var allKeys: [Key] { fields.compactMap { Key(stringValue: $0.name) } }

    private func value(_ key: Key) throws -> AttributeValue {
        guard let field = fields.first(where: { $0.name == key.stringValue }) else {
            throw DecodingError.keyNotFound(key, .init(codingPath: [], debugDescription: key.stringValue))
        }
        return field.value
    }
    func contains(_ key: Key) -> Bool { fields.contains { $0.name == key.stringValue } }
    func decodeNil(forKey key: Key) throws -> Bool { try value(key) == .null }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try decoded(type, value(key)) }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> {
        try TreeDecoder(value: value(key)).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try TreeDecoder(value: value(key)).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { TreeDecoder(value: .record(fields)) }
    func superDecoder(forKey key: Key) throws -> any Decoder { TreeDecoder(value: try value(key)) }
}

private struct Unkeyed: UnkeyedDecodingContainer {
    let values: [AttributeValue]
    var codingPath: [any CodingKey] { [] }
    var count: Int? { values.count }
    var isAtEnd: Bool { currentIndex >= values.count }
    var currentIndex = 0

    init(values: [AttributeValue]) { self.values = values }

    private mutating func next() throws -> AttributeValue {
        guard currentIndex < values.count else { throw mismatch(AttributeValue.self, .null) }
        currentIndex += 1
        return values[currentIndex - 1]
    }
    mutating func decodeNil() throws -> Bool {
        guard currentIndex < values.count, values[currentIndex] == .null else { return false }
        currentIndex += 1
        return true
    }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoded(type, next()) }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        try TreeDecoder(value: next()).container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        try TreeDecoder(value: next()).unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { TreeDecoder(value: try next()) }
}

private struct Single: SingleValueDecodingContainer {
    let value: AttributeValue
    var codingPath: [any CodingKey] { [] }
    func decodeNil() -> Bool { value == .null }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try decoded(type, value) }
}
