internal import DCNFormats
internal import DCNOperators
internal import DCNPasses
public import DCNGraph
public import DCNRuntime

/// How a model file becomes a model.
public struct LoadOptions: Sendable {
    /// How much rounding the fast forms of convolutions may add.
    public var accuracy = Accuracy.default
    /// Inputs with initialisers that are to stay inputs.
    public var keptInputs: Set<String> = []
    /// Extents to fix, by input name.
    public var shapes: [String: Shape] = [:]

    /// The options that hold unless said otherwise.
    public init() {}
}

extension Model {
    /// Reads a model file, an ONNX file or a compiled graph, and makes it ready to run.
    ///
    /// Throws `.system` when the file can't be had, `.model` when it is invalid, `.unsupported` when it holds
    /// operators that nobody here knows: all of them.
    public convenience init(
        contentsOf path: String, dialects: [Dialect] = Dialect.standard, options: LoadOptions = LoadOptions()
    ) throws(DCNError) {
        var source = try readOnnx(contentsOf: path)
        try source.graph.fix(options.shapes, file: source.file)
        var graph = try map(source, dialects: dialects, keepingInputs: options.keptInputs)
        _ = try Pipeline.canonical.run(on: &graph)
        _ = try Pipeline.fusing(options.accuracy).run(on: &graph)
        self.init(graph: graph, metadata: source.metadata, declaredInputs: source.graph.inputs.map(\.name))
    }
}

extension Dialect {
    /// All spellings that are known here.
    public static var standard: [Dialect] { Catalogue.dialects }
}
