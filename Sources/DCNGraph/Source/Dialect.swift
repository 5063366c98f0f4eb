/// What a node means: an operator, and which of the written operands it takes.
public struct Meaning: Sendable {
    /// The operator.
    public var op: any Operator
    /// Positions of the operator's operands among the written ones, nil where left out; nil as a whole: as written.
    public var order: [Int?]?
    /// Values that the spelling holds as attributes, as further operands after those of `order`.
    public var extra: [Tensor?]
    /// Graphs inside, by the names of the attributes that hold them.
    public var bodies: [String]
    /// How many outputs nodes may read, where the writer's operator has one more that it keeps for itself; nil: all.
    public var visible: Int?

    /// The operator on the operands as written.
    public init(
        _ op: any Operator, order: [Int?]? = nil, extra: [Tensor?] = [], bodies: [String] = [],
        visible: Int? = nil
    ) {
        self.op = op
        self.order = order
        self.extra = extra
        self.bodies = bodies
        self.visible = visible
    }
}

/// How one writer of files spells operators: a table from names to meanings.
public struct Dialect: Sendable {
    /// Says what a node means; throws where it is refused.
    public typealias Spelling = @Sendable (SourceNode) throws(Misfit) -> Meaning

    /// The domain; nil stands for every domain.
    public let domain: String?
    /// Spellings by operator name.
    public let spellings: [String: Spelling]
    /// Operators of the dialect's own: a compiled graph that holds them is read with their types.
    public let operators: [any Operator.Type]

    /// A dialect from its table.
    public init(
        domain: String?, operators: [any Operator.Type] = [], _ spellings: [String: Spelling]
    ) {
        self.domain = domain
        self.operators = operators
        self.spellings = spellings
    }
}
