/// The attributes of an operator as plain data: what text forms show and compiled files hold.
package indirect enum AttributeValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int)
    case float(Double)
    case text(String)
    case list([AttributeValue])
    case record([Field])

    /// One named part of a record.
    package struct Field: Sendable, Hashable {
        package var name: String
        package var value: AttributeValue
        /// A part from its name and value.
        package init(name: String, value: AttributeValue) {
            self.name = name
            self.value = value
        }
    }

    subscript(name: String) -> AttributeValue? {
        guard case .record(let fields) = self else { return nil }
        return fields.first { $0.name == name }?.value
    }
}

extension AttributeValue: CustomStringConvertible {
    /// `[1, 2]`, `{a: 1}`, `"text"`, `relu` for a case without values.
    package var description: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .float(let value): "\(value)"
        case .text(let value): "\"" + escaped(value) + "\""
        case .list(let values): "[" + values.map(\.description).joined(separator: ", ") + "]"
        case .record(let fields):
            if fields.count == 1, case .record(let inner) = fields[0].value, inner.isEmpty {
                fields[0].name
            } else {
                "{" + fields.map { "\($0.name): \($0.value)" }.joined(separator: ", ") + "}"
            }
        }
    }
}
