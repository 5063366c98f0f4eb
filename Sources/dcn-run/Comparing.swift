import DCN
import DCNCommandLine
import DCNFiles

extension Job {
    /// Runs each set of test data and prints a line for each output; false when one differs.
    func compare(with folder: String) throws -> Bool {
        let sets = try TestData.sets(in: folder)
        var lines: [Json] = []
        var passes = true
        var model = model
        var kept: Set<String> = []
        for set in sets {
            let names = inputNames(set)
            let wanted = Set(names).subtracting(self.model.inputs.map(\.name))
            if wanted != kept {
                (model, kept) = (
                    try command.file.load(
                        keeping: wanted, memoryLimit: command.running.limits.memoryLimit()), wanted
                )
            }
            let options = try command.running.options(observer: watcher.isNeeded ? watcher : nil)
            var session = try Session(model, options: options)
            let answer: [String: Datum] = try session.run(try values(set, names, model), deadline: deadline)
            for number in set.outputNumbers {
                let line = try compared(answer, set, number, model, among: sets.count)
                passes = passes && line.matches
                lines.append(line.json)
                if !command.json { try Console.print(line.text) }
            }
        }
        if command.json {
            try Console.print(Json.object([("matches", .bool(passes)), ("outputs", .array(lines))]).text)
        }
        if command.watching.profile, !command.json {
            for line in watcher.profile(runs: sets.count) { try Console.print(line) }
        }
        if let path = command.watching.trace { try writeFile(path, watcher.trace.text + "\n") }
        return try reportFinite() && passes
    }

    /// The input that each `input_K.pb` is for. K counts the inputs as declared; those with initialisers are left out
    /// when there are just as many files as others.
    private func inputNames(_ set: TestData) -> [String] {
        let others = model.inputs.map(\.name)
        return set.inputNumbers == Array(others.indices) ? others : model.declaredInputs
    }

    private func values(_ set: TestData, _ names: [String], _ model: Model) throws(DCNError) -> [String:
        Datum]
    {
        var values: [String: Datum] = [:]
        for number in set.inputNumbers {
            guard number < names.count,
                let type = model.inputs.first(where: { $0.name == names[number] })?.type
            else {
                throw inputError(
                    "\(set.path)/input_\(number).pb", "is for input \(number), the model has \(names.count)")
            }
            values[names[number]] = try set.input(number, as: type)
        }
        return values
    }

    private func compared(
        _ answer: [String: Datum], _ set: TestData, _ number: Int, _ model: Model, among count: Int
    ) throws(DCNError) -> ComparedLine {
        guard number < model.outputs.count, let got = answer[model.outputs[number].name] else {
            throw inputError(
                "\(set.path)/output_\(number).pb",
                "is for output \(number), the model has \(model.outputs.count)")
        }
        let expected = try set.output(number, as: got.type)
        let place = count > 1 ? (set.path.split(separator: "/").last.map { "\($0): " } ?? "") : ""
        return ComparedLine(
            name: model.outputs[number].name, place: place,
            comparison: DCNFiles.compare(got, with: expected, command.comparison.tolerance))
    }

    /// Compares the outputs with the entries of the same names; false when one differs or an entry has no output.
    func compare(_ answer: [String: Datum], withArchive path: String) throws -> Bool {
        let archive = try NpzReader(path: path)
        let outputs = ordered(answer).flatMap { entries(of: $0.datum, named: $0.name) }
        var passes = true
        var lines: [Json] = []
        var compared = 0
        for (name, tensor) in outputs {
            guard let expected = try archive.tensor(name, wanted: tensor.type.element) else { continue }
            compared += 1
            let got = expected.type.element == tensor.type.element ? tensor : widened(rowMajor(tensor))
            var tolerance = command.comparison.tolerance
            if tensor.type.element == .bfloat16 { tolerance.relative = max(tolerance.relative, 0x1p-6) }
            let line = ComparedLine(
                name: name, place: "",
                comparison: DCNFiles.compare(.tensor(got), with: .tensor(expected), tolerance))
            passes = passes && line.matches
            lines.append(line.json)
            if !command.json { try Console.print(line.text) }
        }
        guard compared > 0 else { throw inputError(path, "has no entry named like an output") }
        let missing = Set(archive.names).subtracting(outputs.map(\.name)).sorted()
        for name in missing {
            passes = false
            if !command.json {
                try Console.print("\(escaped(name)): MISMATCH, the model gives no such output")
            }
            lines.append(
                .object([
                    ("name", .string(name)), ("matches", .bool(false)), ("detail", .string("no such output")),
                ]))
        }
        if command.json {
            try Console.print(Json.object([("matches", .bool(passes)), ("outputs", .array(lines))]).text)
        }
        return passes
    }
}

/// One output with what a comparison found.
private struct ComparedLine {
    let name: String
    let place: String
    let comparison: Comparison

    var matches: Bool { comparison.matches }

    var text: String {
        let verdict = Console.coloured(matches ? "match" : "MISMATCH", good: matches)
        return "\(place)\(escaped(name)): \(verdict), \(comparison.detail)"
    }

    var json: Json {
        .object([
            ("name", .string(name)), ("matches", .bool(matches)), ("detail", .string(comparison.detail)),
        ])
    }
}
