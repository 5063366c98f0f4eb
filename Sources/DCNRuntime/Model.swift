public import DCNGraph

/// A graph made ready: shared by any number of sessions on any threads.
public final class Model: Sendable {
    /// The graph that runs.
    public let graph: Graph
    /// Free pairs of keys and values from the file.
    public let metadata: [String: String]
    /// The names of all inputs that the file declares, those with initialisers included.
    public let declaredInputs: [String]
    let runner: GraphRunner

    /// A model of a graph that needs no further passes.
    public init(graph: Graph, metadata: [String: String] = [:], declaredInputs: [String]? = nil) {
        self.graph = graph
        self.metadata = metadata
        self.declaredInputs = declaredInputs ?? graph.inputNames
        runner = GraphRunner(graph)
    }

    /// What the model takes: names and types as far as they are known.
    public var inputs: [(name: String, type: ValueType)] {
        graph.inputs.map { (graph[$0].name, graph[$0].type) }
    }

    /// What the model gives.
    public var outputs: [(name: String, type: ValueType)] {
        zip(graph.outputNames, graph.outputs).map { ($0, graph[$1].type) }
    }
}
