package import DCNGraph

/// What is said of a spelling that files may use.
package struct ListedOperator: Sendable, Hashable {
    /// The domain, `""` for the default one, `*` for every one.
    package let domain: String
    /// The name there.
    package let name: String
    /// The versions of the domain's operator set that define it anew, each valid until the next; empty where the
    /// domain has no versions.
    package let versions: [Int]
    /// The operator that runs it; nil for a constant, and where nothing that was offered is accepted.
    package let runsAs: String?
    /// The element types of each operand that must be there; empty where there is none, or graphs inside decide.
    package let elements: [[ElementType]]
    /// Whether graphs inside the node decide what it takes.
    package let hasBodies: Bool

    /// The one operator without a spelling: the value that it holds becomes part of the graph.
    static let constant = ListedOperator(domain: "", name: "Constant")

    /// One of which no more is known than its name.
    fileprivate init(domain: String, name: String) {
        self.init(
            domain: domain, name: name, versions: standardVersions[domain]?[name] ?? [], runsAs: nil,
            elements: [],
            hasBodies: false)
    }

    private init(
        domain: String, name: String, versions: [Int], runsAs: String?, elements: [[ElementType]],
        hasBodies: Bool
    ) {
        self.domain = domain
        self.name = name
        self.versions = versions
        self.runsAs = runsAs
        self.elements = elements
        self.hasBodies = hasBodies
    }

    /// What a probe of the spelling finds; throws what is said against everything that is offered.
    package init(domain: String, name: String, spelling: @escaping Dialect.Spelling) throws(Misfit) {
        let versions = standardVersions[domain]?[name] ?? []
        let probe = Probe(domain: domain, name: name, version: versions.last ?? 1, spelling: spelling)
        let answers = try probe.answers()
        self.init(
            domain: domain, name: name, versions: versions, runsAs: answers[0].op.name,
            elements: answers[0].hasBodies ? [] : probe.elements(of: answers), hasBodies: answers[0].hasBodies
        )
    }
}

extension [Dialect] {
    /// All spellings that mean something, in order of domain and name; those are left out that stand for a refusal with
    /// a hint.
    package var listing: [ListedOperator] {
        var listed = [ListedOperator.constant]
        for dialect in self {
            let domain = dialect.domain ?? "*"
            for (name, spelling) in dialect.spellings {
                do throws(Misfit) {
                    listed.append(try ListedOperator(domain: domain, name: name, spelling: spelling))
                } catch {
                    if case .unsupported = error { continue }
                    listed.append(ListedOperator(domain: domain, name: name))
                }
            }
        }
        return listed.sorted { ($0.domain, $0.name) < ($1.domain, $1.name) }
    }
}
