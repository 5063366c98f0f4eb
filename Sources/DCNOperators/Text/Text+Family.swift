internal import DCNGraph

extension Family {
    /// Operators on strings.
    static let text = Family(
        [
            StringConcat.self, StringNormalizer.self, StringSplit.self, RegexFullMatch.self,
            TfIdfVectorizer.self,
        ],
        [
            "": [
                "StringConcat": { (_) throws(Misfit) in Meaning(StringConcat()) },
                "StringNormalizer": { (node) throws(Misfit) in try normalizer(node) },
                "StringSplit": { (node) throws(Misfit) in
                    Meaning(
                        StringSplit(
                            delimiter: try node.string("delimiter", default: ""),
                            limit: try node.optionalInt("maxsplit")))
                },
                "TfIdfVectorizer": { (node) throws(Misfit) in try tfIdfVectorizer(node) },
                "RegexFullMatch": { (node) throws(Misfit) in
                    guard let pattern = try node.optionalString("pattern") else {
                        throw .missing("attribute pattern")
                    }
                    return Meaning(RegexFullMatch(pattern: pattern))
                },
            ]
        ])
}

private func normalizer(_ node: SourceNode) throws(Misfit) -> Meaning {
    node.ignore("locale")
    let written = try node.string("case_change_action", default: "NONE")
    guard let letters = StringNormalizer.Letters(rawValue: written) else {
        throw .attribute(
            "case_change_action", because: "is '\(escaped(written))', expected NONE, LOWER or UPPER")
    }
    let words = try node.optionalStrings("stopwords") ?? []
    let op = StringNormalizer(
        letters: letters, isCaseSensitive: try node.bool("is_case_sensitive", default: false))
    return Meaning(op, order: [0], extra: [Tensor(extents: [words.count], strings: words)])
}
