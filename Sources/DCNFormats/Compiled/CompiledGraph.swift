public import DCNGraph

/// A graph ready to run with what a compiled file tells about it.
package struct CompiledGraph: Sendable {
    /// The graph, fused and packed.
    package var graph: Graph
    /// Which algorithms were allowed.
    package var accuracy: Accuracy
    /// Free pairs of keys and values, as the model carried them.
    package var metadata: [String: String]
    /// Operator set versions by domain, as the model imported them.
    package var opsets: [String: Int]
    /// The format version of the ONNX file.
    package var irVersion: Int
    /// The name of the ONNX file, without its folders.
    package var source: String
    /// The user's own spellings of operators, as they were given.
    package var spellings: String
    /// Program and version that wrote the file.
    package var producer: String

    /// A compiled graph from its parts.
    package init(
        graph: Graph, accuracy: Accuracy = .default, metadata: [String: String] = [:],
        opsets: [String: Int] = [:],
        irVersion: Int = 0, source: String = "", spellings: String = "", producer: String = "dcn"
    ) {
        self.graph = graph
        self.accuracy = accuracy
        self.metadata = metadata
        self.opsets = opsets
        self.irVersion = irVersion
        self.source = source
        self.spellings = spellings
        self.producer = producer
    }
}

/// The two kinds of model file.
public enum ModelFileKind: Sendable, Hashable {
    case onnx
    case compiled

    /// The kind of a file, by its first bytes; `.system` when it can't be read.
    public init(contentsOf path: String) throws(DCNError) {
        let file = try MappedFile(path: path)
        self = withExtendedLifetime(file) { ModelFileKind(file.bytes) }
    }

    /// The kind of what begins with these bytes.
    package init(_ bytes: UnsafeRawBufferPointer) {
        self = bytes.starts(with: CompiledPreamble.mark) ? .compiled : .onnx
    }
}
