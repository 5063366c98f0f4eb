internal import Synchronization

/// A flag that another thread raises to end a run between two tiles of a node's work.
public final class Cancellation: Sendable {
    private let flag = Atomic<Bool>(false)

    /// A flag not raised.
    public init() {}

    /// Ends the run soon.
    public func cancel() { flag.store(true, ordering: .relaxed) }

    /// Whether the flag is raised.
    public var isCancelled: Bool { flag.load(ordering: .relaxed) }
}
