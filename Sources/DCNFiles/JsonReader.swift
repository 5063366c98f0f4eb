package import DCN

/// The JSON value in a file; an `input` error when there is none.
package func readJson(_ path: String) throws(DCNError) -> Json {
    let file = try InputFile(path: path)
    var reader = JsonReader(Array(file.bytes))
    guard let value = reader.document() else { throw file.error("is no JSON, from byte \(reader.place) on") }
    return value
}

extension Json {
    /// The value that a text stands for; nil when it is no JSON.
    package init?(_ text: String) {
        var reader = JsonReader(Array(text.utf8))
        guard let value = reader.document() else { return nil }
        self = value
    }
}

/// Reads JSON of bounded depth.
struct JsonReader {
    private let text: [UInt8]
    private(set) var place = 0
    private static let mostNesting = 128

    init(_ text: [UInt8]) { self.text = text }

    /// The one value that the whole text is.
    mutating func document() -> Json? {
        guard let value = value(0) else { return nil }
        skipSpace()
        return place == text.count ? value : nil
    }

    private mutating func value(_ depth: Int) -> Json? {
        skipSpace()
        guard depth < Self.mostNesting, place < text.count else { return nil }
        switch text[place] {
        case UInt8(ascii: "{"): return object(depth)
        case UInt8(ascii: "["): return array(depth)
        case UInt8(ascii: "\""): return string().map(Json.string)
        default:
            if word("null") { return .null }
            if word("true") { return .bool(true) }
            if word("false") { return .bool(false) }
            return number()
        }
    }

    private mutating func object(_ depth: Int) -> Json? {
        place += 1
        var members: [(String, Json)] = []
        if take("}") { return .object([]) }
        repeat {
            skipSpace()
            guard let name = string(), take(":"), let value = value(depth + 1) else { return nil }
            members.append((name, value))
        } while take(",")
        return take("}") ? .object(members) : nil
    }

    private mutating func array(_ depth: Int) -> Json? {
        place += 1
        var elements: [Json] = []
        if take("]") { return .array([]) }
        repeat {
            guard let value = value(depth + 1) else { return nil }
            elements.append(value)
        } while take(",")
        return take("]") ? .array(elements) : nil
    }

    private mutating func number() -> Json? {
        let start = place
        while place < text.count, "+-.0123456789eE".utf8.contains(text[place]) { place += 1 }
        let digits = String(decoding: text[start..<place], as: UTF8.self)
        guard let first = digits.utf8.first, first != UInt8(ascii: "+"), first != UInt8(ascii: ".") else {
            return nil
        }
        if let integer = Int(digits) { return .int(integer) }
        return Double(digits).map(Json.number)
    }

    private mutating func string() -> String? {
        guard place < text.count, text[place] == UInt8(ascii: "\"") else { return nil }
        place += 1
        var bytes: [UInt8] = []
        while place < text.count {
            let byte = text[place]
            place += 1
            if byte == UInt8(ascii: "\"") { return String(decoding: bytes, as: UTF8.self) }
            guard byte >= 32 else { return nil }
            guard byte == UInt8(ascii: "\\") else {
                bytes.append(byte)
                continue
            }
            guard let scalar = escape() else { return nil }
            bytes += Array(String(scalar).utf8)
        }
        return nil
    }

    private mutating func escape() -> Unicode.Scalar? {
        guard place < text.count else { return nil }
        let byte = text[place]
        place += 1
        switch byte {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "u"): break
        default: return nil
        }
        guard let unit = unit() else { return nil }
        guard (0xD800..<0xDC00).contains(unit) else { return Unicode.Scalar(unit) }
        guard text[place...].starts(with: "\\u".utf8) else { return nil }
        place += 2
        guard let low = self.unit(), (0xDC00..<0xE000).contains(low) else { return nil }
        return Unicode.Scalar(0x10000 + (unit - 0xD800) << 10 + (low - 0xDC00))
    }

    private mutating func unit() -> UInt32? {
        guard place + 4 <= text.count else { return nil }
        let digits = String(decoding: text[place..<place + 4], as: UTF8.self)
        place += 4
        return UInt32(digits, radix: 16)
    }

    private mutating func word(_ word: String) -> Bool {
        guard text[place...].starts(with: word.utf8) else { return false }
        place += word.utf8.count
        return true
    }

    private mutating func take(_ character: Unicode.Scalar) -> Bool {
        skipSpace()
        guard place < text.count, text[place] == UInt8(ascii: character) else { return false }
        place += 1
        return true
    }

    private mutating func skipSpace() {
        while place < text.count, text[place] == 32 || (9...13).contains(text[place]) { place += 1 }
    }
}
