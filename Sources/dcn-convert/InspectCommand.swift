import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNFormats
import DCNGraph

/// Shows what a model holds.
struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect", abstract: "Show what a model holds.")

    @OptionGroup var file: ModelArguments
    @OptionGroup var limits: LimitArguments

    @Flag(help: "One line for each node as well.")
    var layers = false

    @Flag(help: "The facts as JSON.")
    var json = false

    func run() throws {
        try perform(isJson: json) {
            try limits.watch(file.model)
            let model = try LoadedModel(
                contentsOf: file.model, dialects: try file.dialects(),
                options: try file.options(within: limits))
            try limits.expectRoom(for: file.model)
            let summary = GraphSummary(model.compiled.graph)
            if json { try Console.print(facts(model, summary).text) } else { try show(model, summary) }
            return true
        }
    }

    private func ends(_ graph: Graph) -> (inputs: [(String, ValueType)], outputs: [(String, ValueType)]) {
        (
            graph.inputs.map { (graph[$0].name, graph[$0].type) },
            zip(graph.outputNames, graph.outputs).map { ($0, graph[$1].type) }
        )
    }

    private func show(_ model: LoadedModel, _ summary: GraphSummary) throws(DCNError) {
        let compiled = model.compiled
        let ends = ends(model.asRead)
        for (name, type) in ends.inputs { try Console.print("input   \(escaped(name)): \(type)") }
        for (name, type) in ends.outputs { try Console.print("output  \(escaped(name)): \(type)") }
        let kind =
            model.kind == .onnx
            ? "ONNX, IR version \(compiled.irVersion)"
            : "compiled from \(escaped(compiled.source)), accuracy \(compiled.accuracy.rawValue)"
        try Console.print("form    \(kind)")
        for (domain, version) in compiled.opsets.sorted(by: { $0.key < $1.key }) {
            try Console.print("opset   \(domain.isEmpty ? "ai.onnx" : escaped(domain)) \(version)")
        }
        let read = GraphSummary(model.asRead)
        let isOnnx = model.kind == .onnx
        var rows = [["", "as read", "as it runs"]]
        func row(_ name: String, _ before: String, _ after: String) {
            rows.append([name, isOnnx ? before : "-", after])
        }
        func count(_ number: Int?, _ summary: GraphSummary) -> String {
            number.map { (summary.isComplete ? "" : "≥ ") + grouped($0) } ?? "?"
        }
        row("parameters", grouped(read.parameterCount), grouped(summary.parameterCount))
        row("bytes of constants", grouped(read.constantByteCount), grouped(summary.constantByteCount))
        row("multiply-adds", count(read.multiplyAdds, read), count(summary.multiplyAdds, summary))
        row("planned memory", count(read.plannedByteCount, read), count(summary.plannedByteCount, summary))
        row("nodes", "\(read.nodeCount)", "\(summary.nodeCount)")
        let (old, new) = (
            Dictionary(uniqueKeysWithValues: read.operators.map { ($0.name, $0.count) }), summary.operators
        )
        for (name, number) in new { row("  " + name, old[name].map { "\($0)" } ?? "-", "\(number)") }
        for (name, number) in read.operators where isOnnx && !new.contains(where: { $0.name == name }) {
            row("  " + name, "\(number)", "-")
        }
        for line in table(rows, right: [1, 2]) { try Console.print(line) }
        if layers {
            for line in "\(compiled.graph)".split(separator: "\n") { try Console.print(String(line)) }
        }
    }

    private func facts(_ model: LoadedModel, _ summary: GraphSummary) -> Json {
        let ends = ends(model.asRead)
        func values(_ list: [(String, ValueType)]) -> Json {
            .array(list.map { .object([("name", .string($0.0)), ("type", .string("\($0.1)"))]) })
        }
        var members: [(String, Json)] = [
            ("kind", .string(model.kind == .onnx ? "onnx" : "compiled")), ("inputs", values(ends.inputs)),
            ("outputs", values(ends.outputs)),
            (
                "opsets",
                .object(model.compiled.opsets.sorted { $0.key < $1.key }.map { ($0.key, .int($0.value)) })
            ),
            ("ir_version", .int(model.compiled.irVersion)),
            (
                "metadata",
                .object(
                    model.compiled.metadata.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })
            ),
            (
                "as_read",
                model.kind == .onnx
                    ? summaryJson(GraphSummary(model.asRead), fileSize: fileSize(file.model)) : .null
            ),
            ("as_it_runs", summaryJson(summary, fileSize: nil)),
        ]
        if layers {
            let graph = model.compiled.graph
            members.append(
                (
                    "layers",
                    .array(
                        graph.nodes.map { id in
                            let node = graph[id]
                            return .object([
                                ("name", .string(node.name)), ("operator", .string(node.op.name)),
                                ("attributes", .string(attributeText(of: node.op))),
                                (
                                    "inputs",
                                    .array(node.inputs.map { $0.map { .string(graph[$0].name) } ?? .null })
                                ),
                                (
                                    "outputs",
                                    .array(
                                        node.outputs.map {
                                            $0.map { .string("\(graph[$0].name): \(graph[$0].type)") }
                                                ?? .null
                                        })
                                ),
                            ])
                        })
                ))
        }
        return .object(members)
    }
}
