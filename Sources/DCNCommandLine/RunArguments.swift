package import ArgumentParser
package import DCN

/// How a session runs.
package struct RunArguments: ParsableArguments {
    @Option(help: "How many threads work (default: the cores this process may use).")
    package var threads: Int?

    @OptionGroup package var limits: LimitArguments

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

    /// Options of a session of a model that is loaded.
    package func options(observer: (any StepObserver)? = nil) throws -> Options {
        var options = Options(
            threads: try threadCount(), instructionSet: try wantedInstructionSet(), observer: observer)
        if let maxTrips {
            guard maxTrips >= 0 else { throw UsageMistake("--max-trips is \(maxTrips), expected 0 or more") }
            options.tripLimit = maxTrips
        }
        return try limits.bound(options)
    }
}
