internal import DCNGraph

/// The memory of one session for one graph: an arena and scratch that grow and are kept.
final class Workspace {
    private(set) var arena = Storage(uninitialised: 0)
    private(set) var scratch = Storage(uninitialised: 0)
    /// Storages that outputs of earlier runs have left.
    let outputs = Recycler()
    /// Workspaces of bodies, by node and index.
    private var inner: [NodeID: [Workspace]] = [:]

    /// Makes room, within the budget.
    func reserve(arena bytes: Int, scratch scratchBytes: Int, budget: Budget) throws(Misfit) {
        if arena.byteCount < bytes {
            let old = arena.byteCount
            arena = Storage(uninitialised: 0)
            budget.give(back: old)
            try budget.take(bytes)
            arena = Storage(uninitialised: bytes)
        }
        if scratch.byteCount < scratchBytes {
            let old = scratch.byteCount
            scratch = Storage(uninitialised: 0)
            budget.give(back: old)
            try budget.take(scratchBytes)
            scratch = Storage(uninitialised: scratchBytes)
        }
    }

    /// The workspace of a node's body.
    func workspace(of node: NodeID, body: Int) -> Workspace {
        var list = inner[node] ?? []
        while list.count <= body { list.append(Workspace()) }
        inner[node] = list
        return list[body]
    }

    /// Bytes held, bodies included.
    var byteCount: Int {
        arena.byteCount + scratch.byteCount + inner.values.joined().reduce(0) { $0 + $1.byteCount }
    }
}

/// How many bytes a session may still ask for, and how many trips through bodies one run may make.
final class Budget {
    let limit: Int
    private let tripLimit: Int
    private var trips = 0
    private(set) var used = 0
    private(set) var peak = 0

    init(limit: Int, tripLimit: Int) {
        self.limit = limit
        self.tripLimit = tripLimit
    }

    func countTrip() throws(Misfit) {
        trips += 1
        guard trips <= tripLimit else {
            throw .limit(of: "the number of trips through loops", asked: trips, limit: tripLimit)
        }
    }

    func take(_ bytes: Int) throws(Misfit) {
        guard bytes <= limit - used else {
            throw .limit(
                of: "the memory asked for in bytes",
                asked: used.addingReportingOverflow(bytes).overflow ? Int.max : used + bytes, limit: limit)
        }
        used += bytes
        peak = max(peak, used)
    }

    func give(back bytes: Int) { used = max(0, used - bytes) }

    /// What is held before a run begins.
    func reset(to bytes: Int) {
        used = bytes
        trips = 0
    }
}
