/// How an operator is spelled in a file that we write.
public struct WrittenNode: Sendable {
    /// The domain, `""` for the default one.
    public var domain: String
    /// The operator's name there.
    public var opType: String
    /// Attributes, in the order they are written.
    public var attributes: [(name: String, value: SourceAttribute)]
    /// Positions of the written operands among the operator's, nil where one is left out; nil as a whole: as they are.
    public var order: [Int?]?
    /// The names of the attributes that hold the node's bodies.
    public var bodies: [String]
    /// The least operator set version that has this spelling.
    public var since: Int

    /// A spelling from its parts.
    public init(
        _ opType: String, _ attributes: [(name: String, value: SourceAttribute)] = [], domain: String = "",
        order: [Int?]? = nil, bodies: [String] = [], since: Int = 7
    ) {
        self.opType = opType
        self.attributes = attributes
        self.domain = domain
        self.order = order
        self.bodies = bodies
        self.since = since
    }
}
