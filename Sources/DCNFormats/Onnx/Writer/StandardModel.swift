package import DCNGraph

extension SourceModel {
    /// A graph of canonical operators as a standard model, which other runtimes read too.
    ///
    /// The operator set is no older than that of the model it came from; `opset` fixes it instead. Throws `.unsupported`
    /// with all nodes that the standard can't express, and why where `refusals` says it by their place in the file.
    package init(
        standard graph: Graph, of compiled: CompiledGraph, opset: Int? = nil, file: String,
        refusals: [String: String] = [:]
    ) throws(DCNError) {
        let written: (graph: SourceGraph, opsets: [String: Int])
        do throws(DCNError) {
            written = try unmap(graph, least: compiled.opsets[""] ?? 7, asked: opset, refusals: refusals)
        } catch {
            var error = error
            error.origin = error.origin ?? Origin(file: file, path: "")
            throw error
        }
        self.init(
            file: file, irVersion: formatVersion(of: written.opsets[""] ?? 7, least: compiled.irVersion),
            opsets: written.opsets, producer: "dcn", metadata: compiled.metadata, graph: written.graph)
    }
}

/// The first version of the format whose readers know an operator set; before version 4 initialisers were inputs.
private func formatVersion(of opset: Int, least: Int) -> Int {
    let known =
        switch opset {
        case ...8: 4
        case 9: 4
        case 10: 5
        case 11: 6
        case 12...14: 7
        case 15...18: 8
        case 19, 20: 9
        case 21, 22: 10
        case 23: 11
        case 24: 12
        default: 13
        }
    return max(known, min(least, 13))
}
