internal import DCN

/// What the header of a `.npy` file says of the bytes behind it.
struct NpyHeader {
    /// The letter and width of NumPy's type, as `f4`; byte order apart.
    var kind: UInt8
    /// Bytes of one element.
    var itemByteCount: Int
    /// Whether the bytes of a number lie the other way round.
    var isBigEndian: Bool
    /// Whether the first axis is the fastest.
    var isFortran: Bool
    /// Extents, in the order of the shape.
    var extents: [Int]
    /// Where the elements begin.
    var dataOffset: Int
}

/// Why bytes are no `.npy` file.
package struct NpyFault: Error {
    let reason: String
}

extension NpyHeader {
    /// The first bytes of every such file.
    static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

    /// Reads the header of versions 1 to 3.
    init(_ bytes: UnsafeRawBufferPointer) throws(NpyFault) {
        guard bytes.begins(with: Self.magic), bytes.count >= 10 else {
            throw NpyFault(reason: "is no .npy file")
        }
        let version = bytes[6]
        guard (1...3).contains(version) else { throw NpyFault(reason: "is .npy of version \(version)") }
        let width = version == 1 ? 2 : 4
        guard let length = bytes.littleEndian(at: 8, width: width), let text = bytes.part(8 + width, length)
        else {
            throw NpyFault(reason: "ends within its header")
        }
        var literal = PythonLiteral(Array(text))
        guard let fields = literal.dictionary() else {
            throw NpyFault(reason: "has a header that can't be read")
        }
        guard case .text(let description)? = fields["descr"] else {
            throw NpyFault(reason: "holds records, expected plain elements")
        }
        guard case .bool(let isFortran)? = fields["fortran_order"],
            case .tuple(let extents)? = fields["shape"],
            fields.count == 3
        else { throw NpyFault(reason: "has a header that can't be read") }
        self.isFortran = isFortran
        self.extents = extents
        dataOffset = 8 + width + length
        var letters = Array(description.utf8)
        isBigEndian = letters.first == UInt8(ascii: ">")
        if let first = letters.first, "<>|=".utf8.contains(first) { letters.removeFirst() }
        guard let kind = letters.first, let size = Int(String(decoding: letters.dropFirst(), as: UTF8.self)),
            size >= 0, size <= 1 << 32
        else { throw NpyFault(reason: "has elements '\(escaped(description))'") }
        self.kind = kind
        itemByteCount = kind == UInt8(ascii: "U") ? 4 * size : size
    }

    /// The element type that these elements are; void ones are taken for `wanted` when their width fits.
    func element(wanted: ElementType?) throws(NpyFault) -> ElementType {
        let name = String(UnicodeScalar(kind)) + "\(itemByteCount)"
        switch name {
        case "f2": return .float16
        case "f4": return .float32
        case "f8": return .float64
        case "i1": return .int8
        case "i2": return .int16
        case "i4": return .int32
        case "i8": return .int64
        case "u1": return .uint8
        case "u2": return .uint16
        case "u4": return .uint32
        case "u8": return .uint64
        case "b1": return .bool
        case "c8": return .complex64
        case "c16": return .complex128
        case _ where kind == UInt8(ascii: "U") || kind == UInt8(ascii: "S"): return .string
        case "V1", "V2":
            if let wanted, wanted == .bfloat16 || wanted.isFloat && wanted.bitWidth == 8,
                wanted.byteWidth == itemByteCount
            {
                return wanted
            }
            throw NpyFault(reason: "has elements of \(itemByteCount) bytes without a type")
        default: throw NpyFault(reason: "has elements '\(escaped(name))', which no model takes")
        }
    }
}

/// The little of Python's syntax that a `.npy` header uses.
struct PythonLiteral {
    enum Value { case text(String), bool(Bool), tuple([Int]), other }
    private let text: [UInt8]
    private var place = 0

    init(_ text: [UInt8]) { self.text = text }

    /// A dictionary that is all there is, but for space; nil when it isn't.
    mutating func dictionary() -> [String: Value]? {
        guard take("{") else { return nil }
        var fields: [String: Value] = [:]
        while !take("}") {
            guard let key = string(), take(":"), let value = value() else { return nil }
            guard fields.updateValue(value, forKey: key) == nil else { return nil }
            if !take(",") {
                guard take("}") else { return nil }
                break
            }
        }
        skipSpace()
        return place == text.count ? fields : nil
    }

    private mutating func value() -> Value? {
        if word("True") { return .bool(true) }
        if word("False") { return .bool(false) }
        if take("(") { return tuple().map(Value.tuple) }
        if take("[") { return skipList() ? .other : nil }
        return string().map(Value.text)
    }

    private mutating func tuple() -> [Int]? {
        var numbers: [Int] = []
        while !take(")") {
            guard let number = number() else { return nil }
            numbers.append(number)
            if !take(",") { return take(")") ? numbers : nil }
        }
        return numbers
    }

    /// Past a list of whatever: its brackets outside of strings balance.
    private mutating func skipList() -> Bool {
        var depth = 1
        while place < text.count, depth > 0 {
            switch text[place] {
            case UInt8(ascii: "["), UInt8(ascii: "("): depth += 1
            case UInt8(ascii: "]"), UInt8(ascii: ")"): depth -= 1
            default: break
            }
            place += 1
        }
        return depth == 0
    }

    private mutating func number() -> Int? {
        skipSpace()
        let start = place
        while place < text.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(text[place]) { place += 1 }
        let number = Int(String(decoding: text[start..<place], as: UTF8.self))
        if place < text.count, text[place] == UInt8(ascii: "L") { place += 1 }
        return number
    }

    private mutating func string() -> String? {
        skipSpace()
        guard place < text.count, text[place] == UInt8(ascii: "'") || text[place] == UInt8(ascii: "\"") else {
            return nil
        }
        guard let end = text[(place + 1)...].firstIndex(of: text[place]) else { return nil }
        let content = text[(place + 1)..<end]
        place = end + 1
        return content.contains(UInt8(ascii: "\\")) ? nil : String(decoding: content, as: UTF8.self)
    }

    private mutating func word(_ word: String) -> Bool {
        skipSpace()
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
