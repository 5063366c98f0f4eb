/// A node as it was written. It remembers which attributes were asked for: what is left over is an error.
public struct SourceNode: Sendable {
    /// The domain, `""` for the default one.
    public var domain: String
    /// The operator as the file spells it.
    public var opType: String
    /// The version of the domain's operator set that the node stands under.
    public var version: Int
    /// The node's name.
    public var name: String
    /// Operands by name; an empty name leaves an optional operand out.
    public var inputs: [String]
    /// Results by name; an empty name is a result nobody wants.
    public var outputs: [String]
    /// Attributes by name.
    public var attributes: [String: SourceAttribute]
    /// Where it stands.
    public var origin: Origin
    /// What is known of the operands, where a spelling depends on shapes or constants; set while mapping.
    public var operands: Inputs?
    private let asked = AskedNames()

    /// A node from its parts.
    public init(
        domain: String = "", opType: String, version: Int = 1, name: String = "", inputs: [String] = [],
        outputs: [String] = [], attributes: [String: SourceAttribute] = [:],
        origin: Origin = Origin(file: "", path: "")
    ) {
        self.domain = domain
        self.opType = opType
        self.version = version
        self.name = name
        self.inputs = inputs
        self.outputs = outputs
        self.attributes = attributes
        self.origin = origin
    }

    /// The attribute as written, whatever it is; nil when absent.
    public func attribute(_ name: String) -> SourceAttribute? {
        asked.insert(name)
        return attributes[name]
    }

    /// Whether the attribute is there; does not count as asking for it.
    public func has(_ name: String) -> Bool { attributes[name] != nil }

    /// Marks attributes as known and without meaning here.
    public func ignore(_ names: String...) { for name in names { asked.insert(name) } }

    /// Attributes that nobody asked for, in order of name.
    public var leftOver: [String] { attributes.keys.filter { !asked.contains($0) }.sorted() }

    /// Attributes that were asked for, whether they are there or not, in order of name.
    package var askedNames: [String] { asked.sorted }
}

/// Which attributes were asked for. A node is mapped by one thread.
private final class AskedNames: @unchecked Sendable {
    private var names: Set<String> = []
    func insert(_ name: String) { names.insert(name) }
    func contains(_ name: String) -> Bool { names.contains(name) }
    var sorted: [String] { names.sorted() }
}

extension SourceNode {
    private func mismatch(_ name: String, _ expected: String, _ got: SourceAttribute) -> Misfit {
        .attribute(name, because: "is \(got.kind), expected \(expected)")
    }

    /// An integer attribute that may be absent.
    public func optionalInt(_ name: String) throws(Misfit) -> Int? {
        switch attribute(name) {
        case nil: return nil
        case .int(let value): return value
        case .some(let other): throw mismatch(name, "an int", other)
        }
    }

    /// An integer attribute with a default.
    public func int(_ name: String, default value: Int) throws(Misfit) -> Int {
        try optionalInt(name) ?? value
    }

    /// An integer attribute that must be there.
    public func int(_ name: String) throws(Misfit) -> Int {
        guard let value = try optionalInt(name) else { throw .missing("attribute \(name)") }
        return value
    }

    /// A flag written as an integer.
    public func bool(_ name: String, default value: Bool) throws(Misfit) -> Bool {
        try int(name, default: value ? 1 : 0) != 0
    }

    /// A float attribute that may be absent; an integer counts.
    public func optionalFloat(_ name: String) throws(Misfit) -> Float? {
        switch attribute(name) {
        case nil: return nil
        case .float(let value): return value
        case .int(let value): return Float(value)
        case .some(let other): throw mismatch(name, "a float", other)
        }
    }

    /// A float attribute with a default.
    public func float(_ name: String, default value: Float) throws(Misfit) -> Float {
        try optionalFloat(name) ?? value
    }

    /// A float attribute that must be there.
    public func float(_ name: String) throws(Misfit) -> Float {
        guard let value = try optionalFloat(name) else { throw .missing("attribute \(name)") }
        return value
    }

    /// A string attribute that may be absent.
    public func optionalString(_ name: String) throws(Misfit) -> String? {
        switch attribute(name) {
        case nil: return nil
        case .string(let value): return value.text
        case .some(let other): throw mismatch(name, "a string", other)
        }
    }

    /// A string attribute with a default.
    public func string(_ name: String, default value: String) throws(Misfit) -> String {
        try optionalString(name) ?? value
    }

    /// Integers that may be absent; a single integer counts as a list of one.
    public func optionalInts(_ name: String) throws(Misfit) -> [Int]? {
        switch attribute(name) {
        case nil: return nil
        case .ints(let values): return values
        case .int(let value): return [value]
        case .floats(let values) where values.isEmpty: return []
        case .some(let other): throw mismatch(name, "ints", other)
        }
    }

    /// Integers with a default.
    public func ints(_ name: String, default values: [Int]) throws(Misfit) -> [Int] {
        try optionalInts(name) ?? values
    }

    /// Floats that may be absent.
    public func optionalFloats(_ name: String) throws(Misfit) -> [Float]? {
        switch attribute(name) {
        case nil: return nil
        case .floats(let values): return values
        case .float(let value): return [value]
        case .ints(let values): return values.map { Float($0) }
        case .some(let other): throw mismatch(name, "floats", other)
        }
    }

    /// Strings that may be absent.
    public func optionalStrings(_ name: String) throws(Misfit) -> [ByteString]? {
        switch attribute(name) {
        case nil: return nil
        case .strings(let values): return values
        case .string(let value): return [value]
        case .ints(let values) where values.isEmpty: return []
        case .some(let other): throw mismatch(name, "strings", other)
        }
    }

    /// A tensor that may be absent.
    public func optionalTensor(_ name: String) throws(Misfit) -> Tensor? {
        switch attribute(name) {
        case nil: return nil
        case .tensor(let value): return value
        case .some(let other): throw mismatch(name, "a tensor", other)
        }
    }

    /// An element type written as its code.
    public func optionalElement(_ name: String) throws(Misfit) -> ElementType? {
        guard let code = try optionalInt(name) else { return nil }
        guard let element = ElementType(rawValue: code) else {
            throw .attribute(name, because: "is \(code), which is no element type")
        }
        return element
    }
}
