import DCNFiles
import DCNGraph
import DCNOperators

extension ListedOperator {
    /// Domain, name, versions, types, what runs it.
    var cells: [String] {
        [
            domain.isEmpty ? "ai.onnx" : domain, name,
            versions.isEmpty ? "any" : versions.map(String.init).joined(separator: ", "), types, runner,
        ]
    }

    /// The same for programs.
    var json: Json {
        .object([
            ("domain", .string(domain)), ("operator", .string(name)),
            ("versions", .array(versions.map { .int($0) })),
            ("types", .array(elements.map { .array($0.map { .string($0.description) }) })),
            ("runs_as", runsAs.map { .string($0) } ?? .null),
        ])
    }

    private var runner: String {
        switch runsAs {
        case nil: name == "Constant" ? "a constant" : "an operator of its own"
        case name: "its own kernel"
        case let other?: "the kernel of \(other)"
        }
    }

    /// The sets of types that differ, in order of the operands.
    private var types: String {
        if hasBodies { return "any that its graphs take" }
        if elements.isEmpty { return runsAs == nil ? "" : "of attributes" }
        var texts: [String] = []
        for text in elements.map(summary) where !texts.contains(text) { texts.append(text) }
        return texts.joined(separator: "; ")
    }
}

/// Sets that have a name, the widest first.
private let named: [(String, Set<ElementType>)] = [
    ("any", Set(ElementType.allCases)),
    ("float", [.float16, .bfloat16, .float32, .float64]),
    ("int", [.int8, .int16, .int32, .int64]),
    ("uint", [.uint8, .uint16, .uint32, .uint64]),
    ("float8", [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]),
    ("complex", [.complex64, .complex128]),
]

/// A set of element types, as names of sets and of the types left over.
private func summary(_ elements: [ElementType]) -> String {
    var rest = Set(elements)
    var words: [String] = []
    for (word, members) in named where members.isSubset(of: rest) {
        words.append(word)
        rest.subtract(members)
    }
    return (words + elements.filter(rest.contains).map(\.description)).joined(separator: " ")
}

/// The page that the repository keeps of the list.
func operatorsPage(_ operators: [ListedOperator]) -> String {
    let rows = operators.map { "| " + $0.cells.map(marked).joined(separator: " | ") + " |" }
    return """
        # Operators

        Written by `dcn-convert list-operators --markdown`; a test holds this page to what the command prints.

        - *versions*: those of the domain's operator set that define the operator anew; each holds until the next, the
          last to the newest. From version 7 of `ai.onnx` on.
        - *types*: element types of the operands that must be there, as the operators accept them when asked; a
          semicolon separates operands whose sets differ. *float* is float16, bfloat16, float32, float64; *int* and
          *uint* are those of 8 to 64 bits; *float8* is e4m3fn, e4m3fnuz, e5m2, e5m2fnuz; *complex* is complex64 and
          complex128.
        - *runs as*: every operator runs in a kernel, its own or that of another. None is expanded, but for DCNv4, whose
          joint tensor of offsets and masks is taken apart first.
        - Domain `*` stands for every domain that has no spelling of that name.

        | domain | operator | versions | types | runs as |
        | --- | --- | --- | --- | --- |
        \(rows.joined(separator: "\n"))
        """
}

private func marked(_ cell: String) -> String {
    cell == "*"
        ? "\\*" : cell.split(separator: "_", omittingEmptySubsequences: false).joined(separator: "\\_")
}
