/// A JSON value; objects keep the order of their members.
package indirect enum Json: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case number(Double)
    case string(String)
    case array([Json])
    case object([(String, Json)])

    /// Same values, members in the same order.
    package static func == (left: Json, right: Json) -> Bool { left.text == right.text }

    /// By the text.
    package func hash(into hasher: inout Hasher) { hasher.combine(text) }

    /// The member of a name.
    package subscript(name: String) -> Json? {
        guard case .object(let members) = self else { return nil }
        return members.last { $0.0 == name }?.1
    }

    /// The elements, where this is an array.
    package var elements: [Json]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The number, where this is one.
    package var double: Double? {
        switch self {
        case .int(let number): Double(number)
        case .number(let number): number
        default: nil
        }
    }

    /// The integer, where this is one.
    package var integer: Int? {
        switch self {
        case .int(let number): number
        case .number(let number): Int(exactly: number)
        default: nil
        }
    }

    /// The text, where this is a string.
    package var string: String? {
        if case .string(let text) = self { text } else { nil }
    }
}

extension Json {
    /// The value on one line. Numbers that JSON lacks become strings: `"NaN"`, `"Infinity"`, `"-Infinity"`.
    package var text: String {
        var result = ""
        write(to: &result)
        return result
    }

    private func write(to text: inout String) {
        switch self {
        case .null: text += "null"
        case .bool(let value): text += value ? "true" : "false"
        case .int(let number): text += String(number)
        case .number(let number): text += Self.spelled(number)
        case .string(let string): text += Self.quoted(string)
        case .array(let elements):
            text += "["
            for (index, element) in elements.enumerated() {
                if index > 0 { text += ", " }
                element.write(to: &text)
            }
            text += "]"
        case .object(let members):
            text += "{"
            for (index, member) in members.enumerated() {
                if index > 0 { text += ", " }
                text += Self.quoted(member.0) + ": "
                member.1.write(to: &text)
            }
            text += "}"
        }
    }

    private static func spelled(_ number: Double) -> String {
        if number.isNaN { return "\"NaN\"" }
        if number.isInfinite { return number > 0 ? "\"Infinity\"" : "\"-Infinity\"" }
        if number == number.rounded(), abs(number) < 1e15 {
            return number == 0 && number.sign == .minus ? "-0.0" : "\(Int(number))"
        }
        return "\(number)"
    }

    private static func quoted(_ string: String) -> String {
        var result = "\""
        for scalar in string.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\t": result += "\\t"
            case "\r": result += "\\r"
            case _ where scalar.value < 32 || scalar.value == 127:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
