public import DCNGraph

/// How a session runs.
///
/// Neither the size of the team nor what other sessions do changes a bit of an answer; the instruction set does, in
/// rounding.
public struct Options: Sendable {
    /// The threads that share the work.
    public var team: Team
    /// Which kernels to take; nil takes the best that the machine has.
    public var instructionSet: InstructionSet?
    /// Most bytes that arena and values may take together; nil leaves it to the machine.
    public var memoryLimit: Int?
    /// Most trips that one run may make through the bodies of its nodes, all loops together.
    public var tripLimit = Self.defaultTripLimit
    /// Trips that a run may make unless said otherwise: enough for any loop over what fits into memory, and over within
    /// minutes where a loop does not end by itself.
    public static let defaultTripLimit = 1 << 22
    /// Bytes that are taken already, weights for instance, and count against the limit.
    public var heldByteCount = 0
    /// Looks at every step after it ran.
    public var observer: (any StepObserver)?

    /// Options for a session of its own team.
    public init(
        threads: Int = 1, instructionSet: InstructionSet? = nil, memoryLimit: Int? = nil,
        observer: (any StepObserver)? = nil
    ) {
        self.init(
            team: Team(threads: threads), instructionSet: instructionSet, memoryLimit: memoryLimit,
            observer: observer)
    }

    /// Options for a session that shares a team.
    public init(
        team: Team, instructionSet: InstructionSet? = nil, memoryLimit: Int? = nil,
        observer: (any StepObserver)? = nil
    ) {
        self.team = team
        self.instructionSet = instructionSet
        self.memoryLimit = memoryLimit
        self.observer = observer
    }
}

/// Somebody who watches steps: for profiles, traces and dumps.
public protocol StepObserver: Sendable {
    /// Called on the session's thread after each step; `values` makes copies of the outputs when called.
    func finished(_ step: StepReport, values: () -> [(name: String, datum: Datum)])
}

/// What one step did.
public struct StepReport: Sendable {
    /// The node's name, or its first output's where it has none.
    public let node: String
    /// The operator's canonical name.
    public let operatorName: String
    /// Types of the outputs.
    public let outputs: [ValueType?]
    /// Multiply-adds done.
    public let multiplyAdds: Int
    /// Nanoseconds of the monotonic clock.
    public let start: Int
    /// Nanoseconds of the monotonic clock.
    public let end: Int
}
