internal import Synchronization

/// The tiles of a region that nobody has begun, a run of neighbours for each thread.
///
/// A thread takes its own from the front, so that what it has read for one tile and called for ahead of the next is in
/// its core's caches. Who has none left takes others' from the back, where their owners come last.
struct Shares: ~Copyable, @unchecked Sendable {
    private let threads: Int
    // Safe: allocated here, and every access is atomic.
    private let runs: UnsafeMutablePointer<Atomic<UInt64>>

    /// Words from one run to the next: processors fetch lines of 64 bytes in pairs.
    private static let step = 16

    init(threads: Int) {
        self.threads = threads
        runs = .allocate(capacity: threads * Self.step)
        for word in 0..<threads * Self.step { (runs + word).initialize(to: Atomic(0)) }
    }

    deinit {
        runs.deinitialize(count: threads * Self.step)
        runs.deallocate()
    }

    static let mostTiles = 0x7FFF_FFFF

    /// Gives out tiles 0 ..< `tiles`, at most `mostTiles`, when none is left of those before. What the caller wrote
    /// before is seen by who takes one.
    func deal(_ tiles: Int) {
        for thread in 0..<threads {
            let run = Run(next: tiles * thread / threads, end: tiles * (thread + 1) / threads)
            runs[thread * Self.step].store(run.bits, ordering: .releasing)
        }
    }

    /// A tile that nobody else has; nil where none is left.
    func take(as thread: Int) -> Int? {
        if let tile = take(from: thread, Run.takeFirst) { return tile }
        for other in 1..<max(1, threads) {
            if let tile = take(from: (thread + other) % threads, Run.takeLast) { return tile }
        }
        return nil
    }

    private func take(from owner: Int, _ take: (inout Run) -> Int?) -> Int? {
        var seen = runs[owner * Self.step].load(ordering: .relaxed)
        while true {
            var run = Run(bits: seen)
            guard let tile = take(&run) else { return nil }
            let (exchanged, original) = runs[owner * Self.step].compareExchange(
                expected: seen, desired: run.bits, ordering: .acquiringAndReleasing)
            if exchanged { return tile }
            seen = original
        }
    }
}

/// Tiles next ..< end, in one word, so that a claim is one exchange. An exchange that succeeds late, on a word that has
/// become what it was, claims a tile of the region that is open then.
private struct Run {
    var next, end: Int

    init(next: Int, end: Int) {
        self.next = next
        self.end = end
    }

    init(bits: UInt64) {
        next = Int(bits >> 32)
        end = Int(bits & 0xFFFF_FFFF)
    }

    var bits: UInt64 { UInt64(next) << 32 | UInt64(end) }

    static func takeFirst(_ run: inout Run) -> Int? {
        guard run.next < run.end else { return nil }
        run.next += 1
        return run.next - 1
    }

    static func takeLast(_ run: inout Run) -> Int? {
        guard run.next < run.end else { return nil }
        run.end -= 1
        return run.end
    }
}
