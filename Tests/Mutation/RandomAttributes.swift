/// Makes values of any `Decodable` type whose leaves are random: attributes that nobody wrote with care.
struct RandomAttributes: Decoder {
    /// Where the leaves come from, shared by the decoders within one value.
    final class Source {
        var random: SeededRandom
        /// How long lists are, most of the time.
        let length: Int
        /// Whether numbers are small, most of the time.
        let isTame: Bool

        init(_ random: SeededRandom) {
            self.random = random
            length = self.random.one(of: [0, 1, 2, 2, 2, 3, 4])
            isTame = !self.random.once(in: 3)
        }
    }

    let source: Source
    var codingPath: [any CodingKey] { [] }
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// A value of type `T`; nil where no words were found that it takes.
    static func make<T: Decodable>(_ type: T.Type, _ random: inout SeededRandom) -> T? {
        let source = Source(random)
        defer { random = source.random }
        return try? source.value(type)
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        KeyedDecodingContainer(Keyed<Key>(source: source))
    }
    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        let isUsual = !source.random.once(in: 4)
        return Unkeyed(
            source: source, total: isUsual ? source.length : Int.random(in: 0...7, using: &source.random))
    }
    func singleValueContainer() -> any SingleValueDecodingContainer { Single(source: source) }
}

extension RandomAttributes.Source {
    func value<T: Decodable>(_ type: T.Type) throws -> T {
        if let leaf = leaf(type) as? T { return leaf }
        for _ in 0..<200 {
            if let value = try? T(from: RandomAttributes(source: self)) { return value }
        }
        throw NoWord()
    }

    private struct NoWord: Error {}

    private func leaf<T>(_ type: T.Type) -> Any? {
        switch type {
        case is Bool.Type: return random.once(in: 2)
        case is String.Type: return random.one(of: HostileValues.words)
        case is Float.Type: return Float(number())
        case is Double.Type: return number()
        case let integer as any FixedWidthInteger.Type: return self.integer(integer)
        default: return nil
        }
    }

    private func number() -> Double {
        isTame ? random.one(of: [0, 1, 0.5, 2, -1, 1e-5]) : HostileValues.float(&random)
    }

    private func integer<I: FixedWidthInteger>(_ type: I.Type) -> I {
        let number = isTame ? random.one(of: [0, 1, 1, 1, 2, 3, -1, 4, 7, 10]) : HostileValues.int(&random)
        return I(truncatingIfNeeded: number)
    }
}

private struct Keyed<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let source: RandomAttributes.Source
    var codingPath: [any CodingKey] { [] }

    /// Of an enumeration: the one case that it is.
    var allKeys: [Key] {
        let known = HostileValues.words.compactMap { Key(stringValue: $0) }
        return known.isEmpty ? [] : [source.random.one(of: known)]
    }
    func contains(_ key: Key) -> Bool { !source.random.once(in: 2) }
    func decodeNil(forKey key: Key) throws -> Bool { source.random.once(in: 2) }
    func decode<T: Decodable>(_ type: T.Type, forKey key: Key) throws -> T { try source.value(type) }
    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) throws -> KeyedDecodingContainer<Nested> { KeyedDecodingContainer(Keyed<Nested>(source: source)) }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer {
        try RandomAttributes(source: source).unkeyedContainer()
    }
    func superDecoder() throws -> any Decoder { RandomAttributes(source: source) }
    func superDecoder(forKey key: Key) throws -> any Decoder { RandomAttributes(source: source) }
}

private struct Unkeyed: UnkeyedDecodingContainer {
    let source: RandomAttributes.Source
    let total: Int
    var codingPath: [any CodingKey] { [] }
    var count: Int? { total }
    var isAtEnd: Bool { currentIndex >= total }
    var currentIndex = 0

    init(source: RandomAttributes.Source, total: Int) {
        self.source = source
        self.total = total
    }

    mutating func decodeNil() throws -> Bool { false }
    mutating func decode<T: Decodable>(_ type: T.Type) throws -> T {
        currentIndex += 1
        return try source.value(type)
    }
    mutating func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type
    ) throws -> KeyedDecodingContainer<Nested> {
        currentIndex += 1
        return KeyedDecodingContainer(Keyed<Nested>(source: source))
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer {
        currentIndex += 1
        return try RandomAttributes(source: source).unkeyedContainer()
    }
    mutating func superDecoder() throws -> any Decoder { RandomAttributes(source: source) }
}

private struct Single: SingleValueDecodingContainer {
    let source: RandomAttributes.Source
    var codingPath: [any CodingKey] { [] }
    func decodeNil() -> Bool { source.random.once(in: 2) }
    func decode<T: Decodable>(_ type: T.Type) throws -> T { try source.value(type) }
}
