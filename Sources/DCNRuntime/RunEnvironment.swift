internal import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// What all graphs of one run share: threads, kernels, limits.
struct RunEnvironment {
    let team: Team
    let instructionSet: InstructionSet
    let budget: Budget
    let observer: (any StepObserver)?
    let cancellation: Cancellation?
    /// Nanoseconds of the monotonic clock after which the run ends.
    let deadline: Int?

    func checkpoint() throws(Misfit) {
        if let cancellation, cancellation.isCancelled { throw .stopped("the run was cancelled") }
        if let deadline, now() > deadline { throw .stopped("the time allowed is over") }
    }

    /// Whether `checkpoint` would throw; stays so once it is.
    private var isOver: Bool {
        cancellation?.isCancelled == true || deadline.map { now() > $0 } == true
    }

    /// Runs `body(tile, thread)` for every tile on the team. Tiles do not begin once the run is over: then what they
    /// write is not whole, and the caller asks `checkpoint` before it is read.
    func share(_ tiles: Int, _ body: (_ tile: Int, _ thread: Int) -> Void) {
        team.run(tiles: tiles) { tile, thread in
            if !isOver { body(tile, thread) }
        }
    }

    func allocate(_ type: TensorType, from recycler: Recycler? = nil) throws(Misfit) -> MutableTensor {
        guard let bytes = type.byteCount else { throw .missing("the shape of an output") }
        try budget.take(bytes)
        let storage = recycler?.storage(bytes) ?? Storage(uninitialised: bytes)
        guard let tensor = MutableTensor(type, on: storage) else { throw .missing("the shape of an output") }
        return tensor
    }
}

/// Nanoseconds of the monotonic clock.
package func now() -> Int {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return time.tv_sec * 1_000_000_000 + time.tv_nsec
}

/// What a routine may ask of the session it runs in.
struct SessionScope: Scope {
    let environment: RunEnvironment
    let bodies: [GraphRunner]
    let node: NodeID
    let workspace: Workspace

    var instructionSet: InstructionSet { environment.instructionSet }

    func run(body index: Int, _ inputs: [Datum?]) throws(Misfit) -> [Datum] {
        guard index < bodies.count else { throw .missing("body \(index)") }
        try environment.budget.countTrip()
        var run = Run(
            bodies[index], inputs: inputs, workspace: workspace.workspace(of: node, body: index),
            environment: environment)
        do throws(DCNError) { return try run.outputs() } catch { throw .inner(error) }
    }

    func checkpoint() throws(Misfit) { try environment.checkpoint() }

    func expectRoom(for types: [ValueType]) throws(Misfit) {
        let limit = environment.budget.limit
        for type in types { try type.tensor?.expectRoom("the memory asked for in bytes", limit: limit) }
    }

    func allocate(_ type: TensorType) throws(Misfit) -> MutableTensor {
        // What a routine makes is counted when it hands it over, so here only asked whether it would fit.
        guard let bytes = type.byteCount else { throw .missing("the shape of an output") }
        try environment.budget.take(bytes)
        environment.budget.give(back: bytes)
        guard let tensor = MutableTensor(uninitialised: type) else {
            throw .missing("the shape of an output")
        }
        return tensor
    }

    func run(_ kernel: any Kernel, inputs: [Tensor?], outputs: [MutableTensor]) throws(Misfit) {
        let serial = SerialScope(instructionSet: instructionSet, byteLimit: Int.max)
        try serial.run(
            kernel, inputs: inputs, outputs: outputs, threads: environment.team.threads,
            on: environment.share)
        try environment.checkpoint()
    }
}
