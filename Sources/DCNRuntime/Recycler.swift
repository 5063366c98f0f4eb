internal import DCNGraph

/// The storages of a session's outputs: those that the caller has let go of are written again by the next run, so that
/// the system need not find and clear pages for every answer.
final class Recycler {
    /// Smaller outputs cost the system nothing worth saving.
    static let leastByteCount = 1 << 18
    private var earlier: [Storage] = []
    private var current: [Storage] = []

    /// Begins a run: what the run before did not use again is let go.
    func turn() {
        earlier = current
        current = []
    }

    /// Bytes for an output, uninitialised.
    func storage(_ byteCount: Int) -> Storage {
        guard byteCount >= Self.leastByteCount else { return Storage(uninitialised: byteCount) }
        for index in earlier.indices where earlier[index].byteCount == byteCount {
            guard isKnownUniquelyReferenced(&earlier[index]) else { continue }
            let storage = earlier.remove(at: index)
            current.append(storage)
            return storage
        }
        let storage = Storage(uninitialised: byteCount)
        current.append(storage)
        return storage
    }
}
