package import ArgumentParser
package import DCN

/// How a session runs.
package struct RunArguments: ParsableArguments {
    @Option(help: "How many threads work (default: the cores this process may use).")
    package var threads: Int?

    @Option(
        name: .customLong("max-seconds"),
        help: "End with exit 2 or 4 after this time, counted from process start.")
    package var maxSeconds: Double?

    @Option(
        name: .customLong("max-memory"),
        help: ArgumentHelp("Take no more memory than this, mapped files apart.", valueName: "BYTES[K|M|G]"))
    package var maxMemory: String?

    @Option(
        name: .customLong("max-trips"),
        help: "End with exit 2 or 4 after this many trips through the bodies of loops (default: 4194304).")
    package var maxTrips: Int?

    /// Nothing chosen yet.
    package init() {}

    /// The number of threads.
    package func threadCount() throws(UsageMistake) -> Int {
        guard let threads else { return ProcessFacts.coreCount }
        guard (1...1024).contains(threads) else {
            throw UsageMistake("--threads is \(threads), expected 1 … 1024")
        }
        return threads
    }

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

    /// Options of a session of a model that is loaded.
    package func options(observer: (any StepObserver)? = nil) throws -> Options {
        var options = Options(
            threads: try threadCount(), instructionSet: try wantedInstructionSet(), observer: observer)
        if let maxTrips {
            guard maxTrips >= 0 else { throw UsageMistake("--max-trips is \(maxTrips), expected 0 or more") }
            options.tripLimit = maxTrips
        }
        if let limit = try memoryLimit() {
            options.memoryLimit = limit
            options.heldByteCount = ProcessFacts.anonymousByteCount
        } else if let available = ProcessFacts.availableByteCount {
            options.memoryLimit = available
        }
        return options
    }
}
