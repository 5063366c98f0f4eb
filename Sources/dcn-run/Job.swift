import DCN
import DCNCommandLine
import DCNFiles

/// A model that is loaded, with what the command line asks of it.
struct Job {
    let command: RunCommand
    let model: Model
    /// Inputs from the command line; empty with test data.
    let inputs: [String: Datum]
    let watcher: Watcher
    let deadline: Int?
    let loadNanoseconds: Int

    init(_ command: RunCommand) throws {
        self.command = command
        let limits = command.running.limits
        deadline = try limits.deadline()
        try limits.watch(command.file.model)
        let start = ProcessFacts.clock
        let memoryLimit = try limits.memoryLimit()
        var model = try command.file.load(memoryLimit: memoryLimit)
        let bound = try bind(command.inputs.input, to: model)
        let kept = Set(bound.map(\.name)).subtracting(model.inputs.map(\.name))
        if !kept.isEmpty { model = try command.file.load(keeping: kept, memoryLimit: memoryLimit) }
        loadNanoseconds = ProcessFacts.clock - start
        try limits.expectRoom(for: command.file.model)
        let maker = InputMaker(
            form: try command.inputs.form(), seed: command.inputs.seed,
            byteLimit: try command.running.options().memoryLimit ?? Int.max)
        var inputs: [String: Datum] = [:]
        for (number, input) in bound.enumerated() {
            guard let type = model.inputs.first(where: { $0.name == input.name })?.type else { continue }
            inputs[input.name] = try maker.datum(input, as: type, number: number)
        }
        self.model = model
        self.inputs = inputs
        watcher = Watcher(command.watching)
    }

    /// A session; it is watched when anything asks for that.
    func session() throws -> Session {
        try Session(model, options: try command.running.options(observer: watcher.isNeeded ? watcher : nil))
    }

    /// Runs, then writes, compares and shows; false when a comparison fails.
    func run() throws -> Bool {
        let answer: [String: Datum]
        if command.timing.repeats != nil {
            answer = try measure()
        } else {
            var session = try session()
            answer = try session.run(inputs, deadline: deadline)
            if command.outputs.out == nil && command.outputs.output.isEmpty
                && command.comparison.expect == nil
            {
                try summarise(answer)
            } else if command.json, command.watching.profile {
                try Console.print(Json.object([("profile", watcher.jsonProfile(runs: 1))]).text)
            }
            if command.watching.profile, !command.json {
                for line in watcher.profile(runs: 1) { try Console.print(line) }
            }
        }
        try write(answer)
        if let path = command.watching.trace { try writeFile(path, watcher.trace.text + "\n") }
        let matches = try command.comparison.expect.map { try compare(answer, withArchive: $0) } ?? true
        return try reportFinite() && matches
    }

    /// The outputs in order of the model.
    func ordered(_ answer: [String: Datum]) -> [(name: String, datum: Datum)] {
        var seen: Set<String> = []
        return model.outputs.compactMap { output in
            guard seen.insert(output.name).inserted else { return nil }
            return answer[output.name].map { (output.name, $0) }
        }
    }

    private func write(_ answer: [String: Datum]) throws {
        if let out = command.outputs.out, let destination = Destination(out) {
            try destination.write(ordered(answer) + watcher.dumped)
            if !command.quiet { Console.note("wrote \(escaped(out))") }
        }
        for argument in command.outputs.output {
            let name = answer.keys.filter { argument.hasPrefix($0 + "=") }.max {
                $0.utf8.count < $1.utf8.count
            }
            guard let name, let datum = answer[name] else {
                let names = model.outputs.map { "'" + escaped($0.name) + "'" }.joined(separator: ", ")
                throw DCNError(
                    .input, .write, "--output '\(escaped(argument))' names no output, the model has \(names)")
            }
            let path = String(argument.dropFirst(name.count + 1))
            if path.hasSuffix(".pb") {
                try writeDatum(path, datum, named: name)
            } else if let tensor = datum.tensor {
                try writeNpy(path, tensor)
            } else {
                throw DCNError(
                    .input, .write, "output '\(escaped(name))' is \(datum.type): write it as .pb, or with -o")
            }
        }
    }

    /// Says what was not finite first; false when something was.
    func reportFinite() throws -> Bool {
        guard command.watching.checkFinite else { return true }
        guard let found = watcher.notFinite else { return true }
        if command.json {
            Console.note("not finite: \(found)")
        } else {
            try Console.print("not finite: \(found)")
        }
        return false
    }
}
