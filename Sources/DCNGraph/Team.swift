internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Threads that share out the tiles of one region at a time. Who finds the team busy runs its tiles alone.
public final class Team: Sendable {
    /// How many threads work, the caller counted.
    public let threads: Int
    private let shared: Shared?

    /// A team of `threads` threads, at least one.
    public init(threads: Int) {
        self.threads = max(1, threads)
        shared = self.threads > 1 ? Shared(workers: self.threads - 1) : nil
    }

    deinit { shared?.stop() }

    /// The processors that the system has switched on.
    package static var processors: Int { max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    /// Runs `body(tile, thread)` for every tile; `thread` is below `threads`, and the caller's is 0.
    package func run(tiles: Int, _ body: (_ tile: Int, _ thread: Int) -> Void) {
        guard tiles > 1, tiles <= Shares.mostTiles, let shared, shared.enter() else {
            for tile in 0..<tiles { body(tile, 0) }
            return
        }
        defer { shared.leave() }
        withoutActuallyEscaping(body) { shared.share(tiles, $0) }
    }
}

private final class Shared: @unchecked Sendable {
    private let shares: Shares
    /// Regions opened so far: a thread that has served the last of them has nothing to look for.
    private let opened = Atomic<Int>(0)
    private let finished = Atomic<Int>(0)
    private let busy = Atomic<Bool>(false)
    private let parked = Atomic<Int>(0)
    private let stopping = Atomic<Bool>(false)
    // Safe: written by the caller before it deals tiles, read only by holders of a tile.
    private var body: ((Int, Int) -> Void)?
    private let lock = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let work = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var handles: [pthread_t] = []

    init(workers: Int) {
        shares = Shares(threads: workers + 1)
        pthread_mutex_init(lock, nil)
        pthread_cond_init(work, nil)
        for worker in 1...workers { start(worker) }
    }

    deinit {
        pthread_cond_destroy(work)
        pthread_mutex_destroy(lock)
        work.deallocate()
        lock.deallocate()
    }

    func enter() -> Bool {
        busy.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged
    }
    func leave() { busy.store(false, ordering: .releasing) }

    func share(_ tiles: Int, _ body: @escaping (Int, Int) -> Void) {
        self.body = body
        finished.store(0, ordering: .relaxed)
        shares.deal(tiles)
        opened.add(1, ordering: .sequentiallyConsistent)
        if parked.load(ordering: .sequentiallyConsistent) > 0 {
            pthread_mutex_lock(lock)
            pthread_cond_broadcast(work)
            pthread_mutex_unlock(lock)
        }
        claim(as: 0)
        var spins = 0
        while finished.load(ordering: .acquiring) < tiles {
            spins += 1
            if spins > 256 { sched_yield() }
        }
        self.body = nil
    }

    func stop() {
        stopping.store(true, ordering: .sequentiallyConsistent)
        pthread_mutex_lock(lock)
        pthread_cond_broadcast(work)
        pthread_mutex_unlock(lock)
        for handle in handles { pthread_join(handle, nil) }
    }

    /// Takes tiles until none is left.
    private func claim(as thread: Int) {
        while let tile = shares.take(as: thread) {
            body?(tile, thread)
            finished.add(1, ordering: .releasing)
        }
    }

    private func serve(as thread: Int) {
        while !stopping.load(ordering: .relaxed) {
            let served = opened.load(ordering: .sequentiallyConsistent)
            claim(as: thread)
            if !spin(after: served) { park(after: served) }
        }
    }

    private func isOver(_ served: Int) -> Bool {
        opened.load(ordering: .sequentiallyConsistent) == served && !stopping.load(ordering: .relaxed)
    }

    /// Waits a little for the next region, giving the core away to whoever wants it.
    private func spin(after served: Int) -> Bool {
        var limit = timespec()
        clock_gettime(CLOCK_MONOTONIC, &limit)
        let start = limit.tv_sec * 1_000_000_000 + limit.tv_nsec
        for spin in 0... {
            if !isOver(served) { return true }
            guard spin >= 256 else { continue }
            sched_yield()
            clock_gettime(CLOCK_MONOTONIC, &limit)
            if limit.tv_sec * 1_000_000_000 + limit.tv_nsec - start > 100_000 { return false }
        }
        return false
    }

    private func park(after served: Int) {
        pthread_mutex_lock(lock)
        parked.add(1, ordering: .sequentiallyConsistent)
        while isOver(served) { pthread_cond_wait(work, lock) }
        parked.subtract(1, ordering: .sequentiallyConsistent)
        pthread_mutex_unlock(lock)
    }

    private final class Seat {
        let shared: Shared
        let thread: Int
        init(_ shared: Shared, _ thread: Int) {
            self.shared = shared
            self.thread = thread
        }
    }

    private func start(_ thread: Int) {
        let seat = Unmanaged.passRetained(Seat(self, thread)).toOpaque()
        #if canImport(Darwin)
            var handle: pthread_t?
            let status = pthread_create(&handle, nil, { Shared.enter($0) }, seat)
            if status == 0, let handle { return handles.append(handle) }
        #else
            var handle = pthread_t()
            let status = pthread_create(&handle, nil, { $0.flatMap { Shared.enter($0) } }, seat)
            if status == 0 { return handles.append(handle) }
        #endif
        Unmanaged<Seat>.fromOpaque(seat).release()
    }

    private static func enter(_ seat: UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? {
        let seat = Unmanaged<Seat>.fromOpaque(seat).takeRetainedValue()
        seat.shared.serve(as: seat.thread)
        return nil
    }
}
