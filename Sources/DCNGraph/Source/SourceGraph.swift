/// A model as it was written: plain values, every dialect's spelling kept.
public struct SourceModel: Sendable {
    /// The file as it was named.
    public var file: String
    /// The format's version.
    public var irVersion: Int
    /// Operator set versions by domain; the default domain is the empty string.
    public var opsets: [String: Int]
    /// Who wrote the file.
    public var producer: String
    /// Free pairs of keys and values.
    public var metadata: [String: String]
    /// The graph, functions inlined.
    public var graph: SourceGraph

    /// A model from its parts.
    public init(
        file: String, irVersion: Int, opsets: [String: Int], producer: String = "",
        metadata: [String: String] = [:], graph: SourceGraph
    ) {
        self.file = file
        self.irVersion = irVersion
        self.opsets = opsets
        self.producer = producer
        self.metadata = metadata
        self.graph = graph
    }
}

/// A graph as it was written; names connect it.
public struct SourceGraph: Sendable {
    /// The graph's name.
    public var name: String
    /// Nodes as listed.
    public var nodes: [SourceNode]
    /// Initialisers by name.
    public var initialisers: [(name: String, tensor: Tensor)]
    /// Inputs as declared; those that have an initialiser are constants.
    public var inputs: [SourceValue]
    /// Outputs as declared.
    public var outputs: [SourceValue]
    /// Types that the file states of other values.
    public var valueTypes: [SourceValue]

    /// A graph from its parts.
    public init(
        name: String = "", nodes: [SourceNode] = [], initialisers: [(name: String, tensor: Tensor)] = [],
        inputs: [SourceValue] = [], outputs: [SourceValue] = [], valueTypes: [SourceValue] = []
    ) {
        self.name = name
        self.nodes = nodes
        self.initialisers = initialisers
        self.inputs = inputs
        self.outputs = outputs
        self.valueTypes = valueTypes
    }
}

/// A named value with the type the file states, if it states one.
public struct SourceValue: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its type as stated.
    public var type: ValueType?

    /// A value from its parts.
    public init(name: String, type: ValueType?) {
        self.name = name
        self.type = type
    }
}

/// The value of an attribute as written.
public indirect enum SourceAttribute: Sendable {
    case int(Int)
    case float(Float)
    case string(ByteString)
    case tensor(Tensor)
    case graph(SourceGraph)
    case type(ValueType)
    case ints([Int])
    case floats([Float])
    case strings([ByteString])
    case tensors([Tensor])
    case graphs([SourceGraph])
    case types([ValueType])

    var kind: String {
        switch self {
        case .int: "an int"
        case .float: "a float"
        case .string: "a string"
        case .tensor: "a tensor"
        case .graph: "a graph"
        case .type: "a type"
        case .ints: "ints"
        case .floats: "floats"
        case .strings: "strings"
        case .tensors: "tensors"
        case .graphs: "graphs"
        case .types: "types"
        }
    }
}
