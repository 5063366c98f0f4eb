/// Names of a file as strings that are equal only where the bytes are.
///
/// Swift compares strings by meaning: `é` in one code point equals `é` in two. Bytes that are no UTF-8 have no
/// string at all. The first name to come keeps its text; another with equal text gets a number behind it.
struct NameTable {
    private var nameByBytes: [[UInt8]: String] = [:]
    /// Texts that are names already, and the number that the next name of the same text gets.
    private var nextNumber: [String: Int] = [:]

    /// The string for a name's bytes, the same each time.
    mutating func name(_ bytes: UnsafeBufferPointer<UInt8>) -> String {
        // Plain ASCII has one form only, and `unique` makes none.
        if bytes.allSatisfy({ $0 < 0x80 }) { return String(decoding: bytes, as: UTF8.self) }
        let key = Array(bytes)
        if let known = nameByBytes[key] { return known }
        let name = unique(Self.text(key))
        nameByBytes[key] = name
        return name
    }

    /// A name that no other has, for a value inside a function that is called under `label`.
    mutating func name(_ inner: String, within label: String) -> String { unique(label + "›" + inner) }

    private mutating func unique(_ text: String) -> String {
        var name = text
        while let number = nextNumber[name] {
            nextNumber[name] = number + 1
            name = "\(text)~\(number)"
        }
        nextNumber[name] = 2
        return name
    }

    /// The text, with each byte that is no UTF-8 as a replacement character and two hexadecimal digits.
    private static func text(_ bytes: [UInt8]) -> String {
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return bytes.map { byte in
            byte < 0x80
                ? String(Unicode.Scalar(byte))
                : "\u{fffd}" + (byte < 0x10 ? "0" : "") + String(byte, radix: 16)
        }.joined()
    }
}
