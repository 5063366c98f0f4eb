/// Where in which file something stands.
public struct Origin: Sendable, Hashable {
    /// The file as it was named.
    public var file: String
    /// The way to the element inside, as `graph.node[42]`.
    public var path: String
    /// The node's name, empty when it has none.
    public var node: String
    /// The operator as the file spells it, domain included where it has one.
    public var written: String

    /// An origin from its parts.
    public init(file: String, path: String, node: String = "", written: String = "") {
        self.file = file
        self.path = path
        self.node = node
        self.written = written
    }
}

extension Origin: CustomStringConvertible {
    /// `detector.onnx: graph.node[42] 'head/dcn0' (DeformConv)`.
    public var description: String {
        var text = escaped(file)
        if !path.isEmpty { text += ": " + escaped(path) }
        if !node.isEmpty { text += " '" + escaped(node) + "'" }
        if !written.isEmpty { text += " (" + escaped(written) + ")" }
        return text
    }
}

/// Whom an error concerns; scripts see it as the exit code.
public enum Kind: Int32, Sendable, Hashable {
    case model = 2
    case unsupported = 3
    case input = 4
    case system = 5
    case defect = 70
}

/// Which step of the way from bytes to answer failed.
public enum Stage: String, Sendable, Hashable {
    case open, unpack, read, map, canonicalise, fuse, pack, plan, run, write
}

/// One operator that cannot be run, with all places where it stands.
public struct UnsupportedOperator: Sendable, Hashable {
    /// The operator as the file spells it.
    public var written: String
    /// How many nodes there are.
    public var count: Int
    /// The names of the first few.
    public var firstNodes: [String]
    /// Why, and what to do where something is known.
    public var hint: String

    /// A report line from its parts.
    public init(written: String, count: Int, firstNodes: [String], hint: String) {
        self.written = written
        self.count = count
        self.firstNodes = firstNodes
        self.hint = hint
    }
}

/// What went wrong.
public enum Reason: Sendable, Hashable {
    case misfit(Misfit)
    case unsupported([UnsupportedOperator])
    case message(String)
}

/// The one error type that leaves the library: what went wrong, at which stage, and where in the file.
public struct DCNError: Error, Sendable, Hashable {
    /// Whom it concerns.
    public var kind: Kind
    /// Which step failed.
    public var stage: Stage
    /// What was found.
    public var reason: Reason
    /// Where, when it is known.
    public var origin: Origin?

    /// An error from its parts.
    public init(_ kind: Kind, _ stage: Stage, _ reason: Reason, at origin: Origin? = nil) {
        self.kind = kind
        self.stage = stage
        self.reason = reason
        self.origin = origin
    }

    /// An error told in a sentence.
    public init(_ kind: Kind, _ stage: Stage, _ message: String, at origin: Origin? = nil) {
        self.init(kind, stage, .message(message), at: origin)
    }

    /// Adds where to why. Inside `run` and `plan` the inputs at hand are the cause, before that the model is.
    package init(_ misfit: Misfit, _ stage: Stage, at origin: Origin?) {
        if case .inner(let error) = misfit {
            self = error
            return
        }
        let kind: Kind =
            switch misfit {
            case .unsupported: .unsupported
            case .system: .system
            case .limit, .stopped: .model
            default: stage == .run || stage == .plan ? .input : .model
            }
        self.init(kind, stage, .misfit(misfit), at: origin)
    }
}

extension DCNError: CustomStringConvertible {
    /// `FILE: graph.node[42] 'head/dcn0' (DeformConv): map: why`; unsupported operators one line each.
    public var description: String {
        let place = origin.map { "\($0): " } ?? ""
        switch reason {
        case .misfit(let misfit): return place + "\(stage.rawValue): \(misfit)"
        case .message(let text): return place + "\(stage.rawValue): \(text)"
        case .unsupported(let operators):
            let head =
                place
                + "\(stage.rawValue): \(operators.count) unsupported operator\(operators.count == 1 ? "" : "s")"
            return ([head] + operators.map { "  \($0)" }).joined(separator: "\n")
        }
    }
}

extension UnsupportedOperator: CustomStringConvertible {
    /// `3 × my::Op ('a', 'b', …): hint`.
    public var description: String {
        let names = firstNodes.map { "'" + escaped($0) + "'" }.joined(separator: ", ")
        let more = count > firstNodes.count ? ", …" : ""
        return "\(count) × \(escaped(written)) (\(names)\(more))" + (hint.isEmpty ? "" : ": \(hint)")
    }
}
