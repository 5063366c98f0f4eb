internal import DCNGraph

/// Which rewrites are wanted, as `--fuse` says it.
///
/// `all`; `none`; names of rules, which alone are wanted then; names with `-` before them, which are not.
public struct FuseChoice: Sendable, Hashable {
    private enum Base: Sendable, Hashable { case all, none }
    private var base = Base.all
    private var wanted: Set<String> = []
    private var refused: Set<String> = []

    /// All rewrites.
    public static let all = FuseChoice()
    /// No rewrites but those that every model needs.
    public static let none: FuseChoice = {
        var choice = FuseChoice()
        choice.base = .none
        return choice
    }()

    private init() {}

    /// The choice that a text names; nil when it names a rule that does not exist.
    public init?(_ text: String) {
        for part in text.split(separator: ",") {
            switch part {
            case "all": base = .all
            case "none": base = .none
            default:
                let isRefused = part.first == "-"
                let name = String(isRefused ? part.dropFirst() : part)
                guard FuseChoice.names.contains(name) else { return nil }
                if isRefused { refused.insert(name) } else { wanted.insert(name) }
            }
        }
        if !wanted.isEmpty, !text.split(separator: ",").contains("all") { base = .none }
    }

    /// The names of all rules and passes that can be chosen.
    public static var names: [String] {
        var names: [String] = []
        for pass in (Pipeline.canonical.passes + Pipeline.fusing(.default).passes) {
            for name in (pass as? Rewrite)?.rules.map(\.name) ?? [pass.name] where !names.contains(name) {
                names.append(name)
            }
        }
        return names
    }

    /// Whether a rule is wanted; passes that every model needs are, unless they are refused by name.
    func wants(_ name: String, isNeeded: Bool) -> Bool {
        !refused.contains(name) && (base == .all || wanted.contains(name) || isNeeded)
    }
}

extension Pipeline {
    /// Passes that are no matter of taste: without them graphs stay unpacked, unclean or in other types.
    private static let needed: Set<String> = [
        "assign-layouts", "drop-dead", "drop-identity", "fold-constants", "lay-out", "pack-weights",
        "recognise-layouts",
        "widen-half",
    ]

    /// The pipeline without the rules that a choice does not want.
    package func choosing(_ choice: FuseChoice) -> Pipeline {
        Pipeline(
            passes.compactMap { pass in
                if let rewrite = pass as? Rewrite {
                    return rewrite.keeping { choice.wants($0, isNeeded: false) }
                }
                return choice.wants(pass.name, isNeeded: Self.needed.contains(pass.name)) ? pass : nil
            })
    }
}
