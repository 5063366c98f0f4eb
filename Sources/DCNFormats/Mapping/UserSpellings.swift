public import DCNGraph

/// Spellings that a user declares in a text, without code.
///
///     # comment
///     acme::ModulatedDCN(x, offset, mask, weight, bias) = DeformConv(x, weight, offset, bias, mask) {
///         strides: stride,                 an attribute under another name
///         pads: [padding, padding],        lists are joined: [1, 2] twice is [1, 2, 1, 2]
///         offset_group: groups or 1,       a number, text or list where the node has no such attribute
///         group: 1,                        always this
///         ignore: im2col_step              known, and without meaning here
///     }
///
/// On the right stands a spelling that is known already, `domain::Name` or `Name` of the default domain, and maybe
/// the version of the operator set that it is read for: `Softmax@13`. Attributes that are not named on either side
/// keep their names. `*::Name` stands for every domain.
public struct UserSpellings: Sendable {
    /// The text as given.
    public let text: String
    private let entries: [SpellingEntry]

    /// Reads declarations; a `model` error with the line where they are not of the form above.
    public init(_ text: String, named file: String = "") throws(DCNError) {
        self.text = text
        var parser = SpellingParser(text: text, file: file)
        entries = try parser.entries()
    }

    /// These spellings, then those of `known`, in which their meanings are looked up; a `model` error when one is not there.
    public func over(_ known: [Dialect]) throws(DCNError) -> [Dialect] {
        var tables: [String?: [String: Dialect.Spelling]] = [:]
        for entry in entries {
            let target = entry.target
            func found(in domain: String?) -> Dialect.Spelling? {
                known.lazy.filter { $0.domain == domain }.compactMap { $0.spellings[target.name] }.first
            }
            guard let spelling = found(in: target.domain) ?? found(in: nil)
            else {
                let named = (target.domain.map { $0.isEmpty ? "" : $0 + "::" } ?? "") + target.name
                throw DCNError(
                    .model, .map, "\(escaped(named)) is no known spelling, for \(escaped(entry.name))")
            }
            tables[entry.domain, default: [:]][entry.name] = entry.spelling(by: spelling)
        }
        return tables.map { Dialect(domain: $0, $1) } + known
    }
}
