import DCN
import DCNCommandLine
import DCNFiles
import DCNFormats
import DCNGraph

/// One conversion.
struct Job {
    private let command: ConvertCommand
    private let path: String
    private let isCompiled: Bool
    private let model: LoadedModel
    private let dialects: [Dialect]
    /// The graph that goes into the file.
    private let written: Graph
    /// Why nodes of it could not be written in standard operators, by their place in the model.
    private let refusals: [String: String]

    /// Reads the model; nothing is written yet.
    init(_ command: ConvertCommand, target: (path: String, isCompiled: Bool)) throws {
        self.command = command
        (path, isCompiled) = target
        guard try ModelFileKind(contentsOf: command.file.model) == .onnx else {
            throw UsageMistake(
                "'\(escaped(command.file.model))' is compiled already: convert the ONNX file that it was made from"
            )
        }
        let spellings = try command.file.spellings()
        dialects = try command.file.dialects()
        model = try LoadedModel(
            contentsOf: command.file.model, dialects: dialects, options: command.loadOptions(),
            spellings: spellings?.text ?? "")
        try command.limits.expectRoom(for: command.file.model)
        (written, refusals) = isCompiled ? (model.compiled.graph, [:]) : try model.lowered()
    }

    /// Writes the file, whole or not at all.
    func write() throws(DCNError) {
        if isCompiled {
            try writeCompiled(model.compiled, to: path)
        } else {
            let standard = try self.standard()
            try writeOnnx(standard, to: path, externalData: command.externalData)
        }
    }

    /// The canonical graph, lowered, as a standard model; where rewrites made operators that the standard lacks, that as
    /// read, lowered.
    private func standard() throws(DCNError) -> SourceModel {
        do throws(DCNError) { return try standard(written, refusals) } catch {
            guard error.kind == .unsupported, !model.canonicalRewritings.isEmpty else { throw error }
            do throws(DCNError) {
                let plain = try model.lowered(asRead: true)
                return try standard(plain.graph, plain.refusals)
            } catch _ { throw error }
        }
    }

    private func standard(_ graph: Graph, _ refusals: [String: String]) throws(DCNError) -> SourceModel {
        try SourceModel(
            standard: graph, of: model.compiled, opset: command.opset, file: command.file.model,
            refusals: refusals)
    }

    // MARK: what was done

    /// Rewrites that went into the file.
    private var rules: [(name: String, nodes: [String])] {
        let names = Set(model.canonicalRewritings.map(\.rule))
        let made = isCompiled ? model.rewritings : model.canonicalRewritings
        var groups: [String: [String]] = [:]
        for rewriting in made where rewriting.refusal == nil {
            groups[rewriting.rule, default: []].append(rewriting.node)
        }
        return groups.map { (name: $0.key, nodes: $0.value) }.sorted {
            (names.contains($0.name) ? 0 : 1, $1.nodes.count, $0.name) < (
                names.contains($1.name) ? 0 : 1, $0.nodes.count, $1.name
            )
        }
    }

    /// What looked as if it might be rewritten, and why it was not.
    private var refusedRewritings: [(rule: String, node: String, reason: String)] {
        let raised = Set(model.canonicalRewritings.filter { $0.refusal == nil }.map(\.node))
        return model.canonicalRewritings.compactMap { entry in
            guard let reason = entry.refusal, !raised.contains(entry.node) else { return nil }
            return (entry.rule, entry.node, reason)
        }
    }

    func report() throws(DCNError) {
        let before = GraphSummary(model.asRead), after = GraphSummary(written)
        let sizes = [fileSize(command.file.model), fileSize(path)]
        if command.json { return try Console.print(json(before, after, sizes).text) }
        var rows = [["", "before", "after"]]
        rows.append(["nodes", "\(before.nodeCount)", "\(after.nodeCount)"])
        let counts = Dictionary(uniqueKeysWithValues: after.operators.map { ($0.name, $0.count) })
        for (name, count) in before.operators {
            rows.append(["  " + name, "\(count)", counts[name].map { "\($0)" } ?? "-"])
        }
        let old = Set(before.operators.map(\.name))
        for (name, count) in after.operators where !old.contains(name) {
            rows.append(["  " + name, "-", "\(count)"])
        }
        rows.append(["parameters", grouped(before.parameterCount), grouped(after.parameterCount)])
        rows.append([
            "bytes of constants", grouped(before.constantByteCount), grouped(after.constantByteCount),
        ])
        rows.append([
            "multiply-adds", counted(before.multiplyAdds, before), counted(after.multiplyAdds, after),
        ])
        rows.append([
            "planned memory", counted(before.plannedByteCount, before),
            counted(after.plannedByteCount, after),
        ])
        rows.append(["file size"] + sizes.map { $0.map(grouped) ?? "?" })
        for line in table(rows, right: [1, 2]) { try Console.print(line) }
        for rule in rules {
            try Console.print("\(rule.name): \(rule.nodes.count)")
            if command.explain { for node in rule.nodes { try Console.print("  \(escaped(node))") } }
        }
        if command.explain {
            for (rule, node, reason) in refusedRewritings {
                try Console.print("not \(rule): \(escaped(node)): \(reason)")
            }
        }
        if before.constantByteCount > 0, after.constantByteCount > before.constantByteCount {
            let factor = Double(after.constantByteCount) / Double(before.constantByteCount)
            try Console.print("packed constants take \(fixed(factor, 2)) times the bytes of the model's")
        }
        try Console.print("wrote \(escaped(path))")
    }

    private func counted(_ number: Int?, _ summary: GraphSummary) -> String {
        number.map { (summary.isComplete ? "" : "≥ ") + grouped($0) } ?? "?"
    }

    private func json(_ before: GraphSummary, _ after: GraphSummary, _ sizes: [Int?]) -> Json {
        .object([
            ("out", .string(path)), ("before", summaryJson(before, fileSize: sizes[0])),
            ("after", summaryJson(after, fileSize: sizes[1])),
            (
                "rewrites",
                .array(
                    rules.map {
                        var members: [(String, Json)] = [
                            ("rule", .string($0.name)), ("count", .int($0.nodes.count)),
                        ]
                        if command.explain { members.append(("nodes", .array($0.nodes.map(Json.string)))) }
                        return .object(members)
                    })
            ),
            (
                "notRewritten",
                .array(
                    refusedRewritings.map { rule, node, reason in
                        .object([
                            ("rule", .string(rule)), ("node", .string(node)), ("reason", .string(reason)),
                        ])
                    })
            ),
        ])
    }

    // MARK: verification

    /// Whether random inputs give the same answers through the graph as read and as written.
    func verify(count: Int) throws -> Bool {
        let tolerance = Tolerance(relative: command.rtol, absolute: command.atol)
        var options = LoadOptions()
        options.memoryLimit = try command.limits.memoryLimit()
        let dialects = isCompiled ? self.dialects : Dialect.complete
        let again = try Model(contentsOf: path, dialects: dialects, options: options)
        let running = try command.limits.bound(Options(threads: ProcessFacts.coreCount))
        let deadline = try command.limits.deadline()
        var before = try Session(Model(graph: model.asRead), options: running)
        var after = try Session(again, options: running)
        var worst: (detail: String, matches: Bool) = ("", true)
        for round in 0..<count {
            let inputs = try randomInputs(round)
            let expected: [String: Datum] = try before.run(inputs, deadline: deadline)
            let got: [String: Datum] = try after.run(inputs, deadline: deadline)
            for (name, datum) in expected.sorted(by: { $0.key < $1.key }) {
                guard let other = got[name] else {
                    throw DCNError(.defect, .run, "output '\(escaped(name))' is missing")
                }
                let comparison = compare(other, with: datum, tolerance)
                worst.matches = worst.matches && comparison.matches
                if !command.quiet {
                    Console.note(
                        "verify \(round) \(escaped(name)): \(comparison.matches ? "match" : "MISMATCH"), \(comparison.detail)"
                    )
                }
            }
        }
        return worst.matches
    }

    private func randomInputs(_ round: Int) throws(DCNError) -> [String: Datum] {
        var inputs: [String: Datum] = [:]
        for (index, id) in model.asRead.inputs.enumerated() {
            let value = model.asRead[id]
            let seed = UInt64(bitPattern: Int64(command.seed)) &* 1_000_003 &+ UInt64(round * 1009 + index)
            guard let type = value.type.tensor, let shape = type.shape,
                let tensor = Synthetic.random(seed: seed).tensor(
                    TensorType(type.element, extents: shape.dimensions.map { $0.fixed ?? 1 }))
            else {
                throw DCNError(
                    .input, .run, "input '\(escaped(value.name))' is \(value.type): give it a --shape")
            }
            inputs[value.name] = .tensor(tensor)
        }
        return inputs
    }
}
