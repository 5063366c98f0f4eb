package import ArgumentParser
package import DCN

/// What a command may take.
package struct LimitArguments: ParsableArguments {
    @Option(
        name: .customLong("max-seconds"),
        help: "End with exit 2 or 4 after this time, counted from process start.")
    package var maxSeconds: Double?

    @Option(
        name: .customLong("max-memory"),
        help: ArgumentHelp("Take no more memory than this, mapped files apart.", valueName: "BYTES[K|M|G]"))
    package var maxMemory: String?

    /// Nothing chosen yet.
    package init() {}

    /// When time is over, on the monotonic clock.
    package func deadline() throws(UsageMistake) -> Int? {
        guard let maxSeconds else { return nil }
        guard maxSeconds > 0, maxSeconds < 1e9 else {
            throw UsageMistake("--max-seconds is \(maxSeconds), expected more than 0")
        }
        return ProcessFacts.start + Int(maxSeconds * 1e9)
    }

    /// Most bytes of memory that may be taken; nil where nothing was said.
    package func memoryLimit() throws(UsageMistake) -> Int? {
        guard let maxMemory else { return nil }
        return try byteCount(maxMemory)
    }

    /// Ends the process with exit 2 when time is over and no run sees it, while a model is read for instance.
    package func watch(_ model: String) throws(UsageMistake) {
        guard let deadline = try deadline() else { return }
        DCNCommandLine.watch(
            deadline: deadline, code: 2, message: "\(escaped(model)): run: the time allowed is over")
    }

    /// Throws a `model` error when a model that was read holds more memory than may be taken.
    package func expectRoom(for model: String) throws {
        guard let limit = try memoryLimit() else { return }
        let held = ProcessFacts.anonymousByteCount
        guard held > limit else { return }
        throw DCNError(
            .model, .open, "takes \(held) bytes when it is read, the limit is \(limit)",
            at: Origin(file: model, path: ""))
    }

    /// A model that was loaded within the limits.
    package func load(_ file: ModelArguments) throws -> Model {
        try watch(file.model)
        let model = try file.load(memoryLimit: memoryLimit())
        try expectRoom(for: file.model)
        return model
    }

    /// Options whose runs stay within the limit, what the process holds already counted; without one, within what the
    /// machine can still give.
    package func bound(_ options: Options) throws(UsageMistake) -> Options {
        var options = options
        if let limit = try memoryLimit() {
            options.memoryLimit = limit
            options.heldByteCount = ProcessFacts.anonymousByteCount
        } else if let available = ProcessFacts.availableByteCount {
            options.memoryLimit = available
        }
        return options
    }
}
