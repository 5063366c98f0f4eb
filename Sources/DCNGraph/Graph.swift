/// Names a value inside one graph.
public struct ValueID: Sendable, Hashable, Comparable {
    package let index: Int
    package init(_ index: Int) { self.index = index }
    /// In order of making.
    public static func < (left: ValueID, right: ValueID) -> Bool { left.index < right.index }
}

/// Names a node inside one graph.
public struct NodeID: Sendable, Hashable {
    package let index: Int
    package init(_ index: Int) { self.index = index }
}

/// One value: written once, read by its consumers.
public struct Value: Sendable {
    /// Its name in the file, or one made from the node's.
    public var name: String
    /// Its type, as far as it is known.
    public internal(set) var type: ValueType
    /// What it is, when that is known before any run.
    public internal(set) var constant: Datum?
    /// Integers of a rank-0 or rank-1 value, as far as they follow from shapes.
    public internal(set) var dimensions: [Dimension]?
    /// The node that writes it; none for graph inputs and constants.
    public internal(set) var producer: NodeID?
    /// The nodes that read it, once per reading.
    public internal(set) var consumers: [NodeID]
    /// Which operand of each consumer it is, in step with them.
    var operands: [Int]
}

/// A typed graph in single assignment, a plain value: copying it is the undo of a rewrite.
public struct Graph: Sendable {
    /// The name in the file.
    public var name: String
    /// What the graph takes, in order.
    public internal(set) var inputs: [ValueID] = []
    /// What the graph gives, in order; a value may stand here twice.
    public internal(set) var outputs: [ValueID] = []
    /// The names of the outputs, in order.
    public internal(set) var outputNames: [String] = []
    /// What its values are held to.
    public let limits: ValueLimits
    /// The nodes in running order; made anew for each caller.
    public var nodes: [NodeID] { order.nodes }
    /// How many nodes there are.
    public var nodeCount: Int { order.count }
    var order = RunningOrder()
    /// Where among the outputs a value stands.
    var outputPlaces: [ValueID: [Int]] = [:]
    var allValues: [Value] = []
    var allNodes: [Node?] = []
    /// New nodes go before this one while a rewrite is at work; else to the end.
    var insertionPoint: NodeID?

    /// An empty graph.
    public init(name: String = "", limits: ValueLimits = ValueLimits()) {
        self.name = name
        self.limits = limits
    }

    /// A value.
    public subscript(value: ValueID) -> Value {
        allValues[value.index]
    }

    /// A node that is still there.
    public subscript(node: NodeID) -> Node {
        guard let node = allNodes[node.index] else { preconditionFailure("a removed node was asked for") }
        return node
    }

    /// Whether the node has not been removed.
    public func contains(_ node: NodeID) -> Bool { allNodes[node.index] != nil }

    /// How many values were ever made; a dense range for tables over `ValueID.index`.
    package var valueCount: Int { allValues.count }

    /// The ids of all values that something writes or reads, constants included.
    public var values: [ValueID] { allValues.indices.map(ValueID.init) }

    /// Whether a value is among the outputs.
    public func isOutput(_ value: ValueID) -> Bool { outputPlaces[value] != nil }

    /// The names of the inputs, in order.
    public var inputNames: [String] { inputs.map { self[$0].name } }

    /// What is known of a node's operands.
    public func operands(of inputs: [ValueID?], bodies: [Graph], outputCount: Int) -> Inputs {
        Inputs(
            inputs.map { $0.map { self[$0].type } },
            constants: inputs.map { $0.flatMap { self[$0].constant } },
            knownDimensions: inputs.map { $0.flatMap { self[$0].dimensions } }, bodies: bodies,
            outputCount: outputCount)
    }
}
