package import DCNFormats
package import DCNGraph
internal import DCNOperators
package import DCNPasses

/// A model file on its way to a graph that runs, with what the steps on the way were.
package struct LoadedModel: Sendable {
    /// The kind of file it was read from.
    package let kind: ModelFileKind
    /// The graph as read, before any rewrite; of a compiled graph the one that runs.
    package let asRead: Graph
    /// The same in canonical operators, before anything is fused; of a compiled graph the one that runs.
    package let canonical: Graph
    /// The graph that runs, and what its file tells about it.
    package let compiled: CompiledGraph
    /// The names of all inputs that the file declares, those with initialisers included.
    package let declaredInputs: [String]
    /// The rewrites that made the canonical graph, in order.
    package let canonicalRewritings: [Rewriting]
    /// Every rewrite that was made, in order.
    package let rewritings: [Rewriting]

    /// Reads a file and does all that comes before a run.
    package init(
        contentsOf path: String, dialects: [Dialect] = Dialect.standard, options: LoadOptions = LoadOptions(),
        spellings: String = ""
    ) throws(DCNError) {
        let limits = options.effectiveLimits
        kind = try ModelFileKind(contentsOf: path)
        guard kind == .onnx else {
            compiled = try readCompiled(
                contentsOf: path, operators: dialects.flatMap(\.operators), shapes: options.shapes,
                limits: limits, mapping: options.mapping)
            (asRead, canonical, canonicalRewritings, rewritings) = (compiled.graph, compiled.graph, [], [])
            declaredInputs = compiled.graph.inputNames
            return
        }
        var source = try readOnnx(contentsOf: path, limits: limits, mapping: options.mapping)
        try source.graph.fix(options.shapes, file: path)
        declaredInputs = source.graph.inputs.map(\.name)
        if !options.outputs.isEmpty { try source.cut(to: options.outputs) }
        var graph = try map(
            source, dialects: dialects, keepingInputs: options.keptInputs, limits: limits.values)
        asRead = graph
        var log = try Pipeline.canonical.choosing(options.fuse).limited(by: limits).run(on: &graph)
        canonical = graph
        canonicalRewritings = log
        log += try Pipeline.fusing(options.accuracy).choosing(options.fuse).limited(by: limits).run(
            on: &graph)
        rewritings = log
        compiled = CompiledGraph(
            graph: graph, accuracy: options.accuracy, metadata: source.metadata, opsets: source.opsets,
            irVersion: source.irVersion, source: String(path.split(separator: "/").last ?? ""),
            spellings: spellings)
    }

    /// The canonical graph, or that as read, in operators that the standard has, as far as these can express it; and why
    /// nodes stay as they are, by their place in the file.
    package func lowered(
        asRead isAsRead: Bool = false
    ) throws(DCNError) -> (graph: Graph, refusals: [String: String]) {
        var graph = isAsRead ? asRead : canonical
        var log: [Rewriting] = []
        var refusals: [String: String] = [:]
        if isAsRead { try Rewrite(ExpandJointFields()).run(on: &graph, log: &log) }
        try Lower().run(on: &graph, log: &log, refusals: &refusals)
        _ = try Pipeline.tidying.run(on: &graph)
        return (graph, refusals)
    }
}

extension Pipeline {
    fileprivate func limited(by limits: ReadingLimits) -> Pipeline {
        limited(foldedByteCount: limits.foldedByteCount, packedByteCount: limits.packedByteCount)
    }
}
