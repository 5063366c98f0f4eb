package import DCNGraph
internal import Synchronization

private let nextID = Atomic<Int>(0)
private func freshID() -> Int { nextID.add(1, ordering: .relaxed).newValue }

/// A value in a picture; drawn twice it must be the same value.
package struct Wire: Sendable {
    let id = freshID()
    /// A wire of its own.
    package init() {}
    /// The value, whatever writes it.
    package func callAsFunction() -> Operand { Operand(.wire(id)) }
    /// The value, which must be known before any run.
    package var constant: Operand { Operand(.constant(id)) }
    /// The value, or nothing where the operand is left out.
    package var optional: Operand { Operand(.optional(id)) }
    /// The value, known before any run, or nothing where the operand is left out.
    package var optionalConstant: Operand { Operand(.optionalConstant(id)) }
}

/// A node of one operator type in a picture.
package struct Hole<Op: Operator>: Sendable {
    let id = freshID()
    /// A hole of its own.
    package init() {}
    /// The node, drawn with its operands.
    package func callAsFunction(_ operands: Operand...) -> Pattern {
        Pattern(hole: id, accepts: { $0 is Op }, operands: operands)
    }
    /// The node, drawn with its two operands in either order.
    package func eitherWay(_ first: Operand, _ second: Operand) -> Pattern {
        Pattern(hole: id, accepts: { $0 is Op }, operands: [first, second], commutes: true)
    }
    /// The node, its operands left to the rule.
    package var any: Pattern { Pattern(hole: id, accepts: { $0 is Op }, operands: nil) }
}

/// A picture of nodes, seen from the one that writes the result.
package struct Pattern: Sendable {
    let hole: Int
    let accepts: @Sendable (any Operator) -> Bool
    let operands: [Operand]?
    /// Whether two operands may stand in either order.
    var commutes = false

    /// The result, read by the picture alone.
    package var usedOnce: Operand { Operand(.node(self, output: 0, usedOnce: true)) }
    /// The result, read by others too.
    package var shared: Operand { Operand(.node(self, output: 0, usedOnce: false)) }
    /// Another result of the node, read by others too.
    package func output(_ index: Int) -> Operand { Operand(.node(self, output: index, usedOnce: false)) }
}

/// An operand in a picture.
package struct Operand: Sendable {
    indirect enum Kind: Sendable {
        case wire(Int), constant(Int), optional(Int), optionalConstant(Int)
        case node(Pattern, output: Int, usedOnce: Bool)
        case either(Operand, Operand)
    }
    let kind: Kind
    init(_ kind: Kind) { self.kind = kind }
    /// The first picture that fits.
    package static func either(_ first: Operand, _ second: Operand) -> Operand {
        Operand(.either(first, second))
    }
}

/// Where a picture was found. Holds no graph: a rule that changes one must not make it a copy.
package struct Match {
    fileprivate(set) var wires: [Int: ValueID?] = [:]
    fileprivate(set) var holes: [Int: (id: NodeID, node: Node)] = [:]

    /// The value of a wire; nil where the operand is left out.
    package subscript(wire: Wire) -> ValueID? { wires[wire.id] ?? nil }

    /// The constant of a wire; nil where it has none.
    package func tensor(_ wire: Wire, in graph: Graph) -> Tensor? {
        self[wire].flatMap { graph[$0].constant?.tensor }
    }

    /// The operator and node that filled a hole.
    package subscript<Op>(hole: Hole<Op>) -> (op: Op, node: Node)? {
        guard let node = holes[hole.id]?.node, let op = node.op as? Op else { return nil }
        return (op, node)
    }
}

extension Pattern {
    /// The picture with `node` as its root, if it is there.
    package func match(_ node: NodeID, in graph: Graph) -> Match? {
        var match = Match()
        return fits(node, graph, &match) ? match : nil
    }

    private func fits(_ node: NodeID, _ graph: Graph, _ match: inout Match) -> Bool {
        let found = graph[node]
        guard accepts(found.op) else { return false }
        if let other = match.holes[hole] { return other.id == node }
        match.holes[hole] = (node, found)
        guard let operands else { return true }
        guard found.inputs.count <= operands.count else { return false }
        let before = match
        if Self.fit(operands, found.inputs, graph, &match) { return true }
        guard commutes else { return false }
        match = before
        return Self.fit(operands, found.inputs.reversed(), graph, &match)
    }

    private static func fit(
        _ operands: [Operand], _ inputs: [ValueID?], _ graph: Graph, _ match: inout Match
    ) -> Bool {
        for (index, operand) in operands.enumerated() {
            guard operand.fits(index < inputs.count ? inputs[index] : nil, graph, &match) else {
                return false
            }
        }
        return true
    }
}

extension Operand {
    fileprivate func fits(_ value: ValueID?, _ graph: Graph, _ match: inout Match) -> Bool {
        switch kind {
        case .wire(let id): value != nil && bind(id, value, &match)
        case .constant(let id): isConstant(value, graph) && bind(id, value, &match)
        case .optional(let id): bind(id, value, &match)
        case .optionalConstant(let id): (value == nil || isConstant(value, graph)) && bind(id, value, &match)
        case .node(let pattern, let output, let usedOnce):
            pattern.writes(value, output, usedOnce, graph, &match)
        case .either(let first, let second): Self.tries(first, second, value, graph, &match)
        }
    }

    private func isConstant(_ value: ValueID?, _ graph: Graph) -> Bool {
        value.map { graph[$0].constant != nil } ?? false
    }

    private func bind(_ id: Int, _ value: ValueID?, _ match: inout Match) -> Bool {
        if let other = match.wires[id] { return other == value }
        match.wires[id] = .some(value)
        return true
    }

    private static func tries(
        _ first: Operand, _ second: Operand, _ value: ValueID?, _ graph: Graph, _ match: inout Match
    ) -> Bool {
        let before = match
        if first.fits(value, graph, &match) { return true }
        match = before
        return second.fits(value, graph, &match)
    }
}

extension Pattern {
    fileprivate func writes(
        _ value: ValueID?, _ output: Int, _ usedOnce: Bool, _ graph: Graph, _ match: inout Match
    ) -> Bool {
        guard let value, let node = graph[value].producer else { return false }
        let outputs = graph[node].outputs
        guard output < outputs.count, outputs[output] == value else { return false }
        if usedOnce, graph[value].consumers.count != 1 || graph.isOutput(value) { return false }
        return fits(node, graph, &match)
    }
}
