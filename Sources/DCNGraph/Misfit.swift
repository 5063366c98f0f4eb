/// Why an operator cannot be what a file or an input asks of it. Whoever walks the graph adds where.
public indirect enum Misfit: Error, Hashable, Sendable {
    case rank(of: String, expected: String, got: Int)
    case extent(of: String, axis: Int, expected: String, got: String, because: String)
    case element(of: String, expected: String, got: ElementType)
    case kind(of: String, expected: String, got: String)
    case missing(String)
    /// An attribute whose value is outside what the operator defines.
    case attribute(String, because: String)
    /// Attributes that the operator of this version does not have.
    case unknownAttributes([String])
    /// The value of an input is outside what the operator defines.
    case value(of: String, because: String)
    /// Legal, and not to be had here.
    case unsupported(String)
    /// A number above a stated limit.
    case limit(of: String, asked: Int, limit: Int)
    /// The run was told to stop, or its time is over.
    case stopped(String)
    /// The system refused.
    case system(String)
    /// What happened inside a body of the node.
    case inner(DCNError)
}

extension Misfit: CustomStringConvertible {
    /// One sentence: what was found, what was expected, and why.
    public var description: String {
        switch self {
        case .rank(let name, let expected, let got): "\(name) has rank \(got), expected \(expected)"
        case .extent(let name, let axis, let expected, let got, let reason):
            "\(name) has \(got) along axis \(axis), expected \(expected)"
                + (reason.isEmpty ? "" : " (\(reason))")
        case .element(let name, let expected, let got): "\(name) is \(got), expected \(expected)"
        case .kind(let name, let expected, let got): "\(name) is \(got), expected \(expected)"
        case .missing(let name): "\(name) is missing"
        case .attribute(let name, let reason): "attribute \(name) \(reason)"
        case .unknownAttributes(let names):
            "unknown attribute" + (names.count > 1 ? "s " : " ") + names.map(escaped).joined(separator: ", ")
        case .value(let name, let reason): "\(name) \(reason)"
        case .unsupported(let what): what
        case .limit(let name, let asked, let limit): "\(name) is \(asked), the limit is \(limit)"
        case .stopped(let reason): reason
        case .system(let reason): reason
        case .inner(let error): error.description
        }
    }
}

/// Text from a file, made safe to print: control characters and broken UTF-8 come out as `\u{…}`, and what is longer
/// than anybody reads ends in `…`.
public func escaped(_ text: String) -> String {
    let longest = 4096
    var result = ""
    for (index, scalar) in text.unicodeScalars.enumerated() {
        guard index < longest else { return result + "…" }
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned:
            result += "\\u{" + String(scalar.value, radix: 16) + "}"
        default:
            result.unicodeScalars.append(scalar)
        }
    }
    return result
}
