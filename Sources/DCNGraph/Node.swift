/// One application of an operator: a value whose copies share what it is made of, for passes look at each node many times
/// and change few.
public struct Node: Sendable {
    private var parts: Parts

    /// Changed only where nobody else refers to it.
    private final class Parts: @unchecked Sendable {
        let name: String
        let op: any Operator
        var inputs: [ValueID?]
        let outputs: [ValueID?]
        var bodies: [Graph]
        let origin: Origin?

        init(_ node: Node) {
            (name, op, inputs, outputs) = (node.name, node.op, node.inputs, node.outputs)
            (bodies, origin) = (node.bodies, node.origin)
        }

        init(
            name: String, op: any Operator, inputs: [ValueID?], outputs: [ValueID?], bodies: [Graph],
            origin: Origin?
        ) {
            (self.name, self.op, self.inputs, self.outputs) = (name, op, inputs, outputs)
            (self.bodies, self.origin) = (bodies, origin)
        }
    }

    init(
        name: String, op: any Operator, inputs: [ValueID?], outputs: [ValueID?], bodies: [Graph],
        origin: Origin?
    ) {
        parts = Parts(
            name: name, op: op, inputs: inputs, outputs: outputs, bodies: bodies, origin: origin)
    }

    /// Its name in the file, may be empty.
    public var name: String { parts.name }
    /// What it does.
    public var op: any Operator { parts.op }
    /// What it writes; nil where nobody wants an output.
    public var outputs: [ValueID?] { parts.outputs }
    /// Where in which file it stands.
    public var origin: Origin? { parts.origin }

    /// Its operands; nil where an optional one is left out.
    public internal(set) var inputs: [ValueID?] {
        get { parts.inputs }
        _modify {
            separate()
            yield &parts.inputs
        }
    }

    /// Graphs inside it (branches, loop bodies), closed: captured values are trailing inputs of node and body.
    public internal(set) var bodies: [Graph] {
        get { parts.bodies }
        _modify {
            separate()
            yield &parts.bodies
        }
    }

    private mutating func separate() {
        if !isKnownUniquelyReferenced(&parts) { parts = Parts(self) }
    }
}
