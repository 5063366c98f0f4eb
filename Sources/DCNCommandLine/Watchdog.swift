internal import Synchronization

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// Ends the process some time after a deadline that the run itself did not see, inside one long step for instance.
///
/// `code` and `message` are what the process ends with.
package func watch(deadline: Int, code: Int32, message: String) {
    spawn {
        let late = deadline + 300_000_000
        while ProcessFacts.clock < late {
            let left = late - ProcessFacts.clock
            var pause = timespec(tv_sec: max(0, left) / 1_000_000_000, tv_nsec: max(0, left) % 1_000_000_000)
            nanosleep(&pause, nil)
        }
        Console.note(message)
        _exit(code)
    }
}

/// Runs `body` on `count` threads of their own and waits for all.
package func sideBySide(_ count: Int, _ body: @escaping @Sendable (Int) -> Void) {
    let handles = (0..<count).map { index in spawn { body(index) } }
    for (index, handle) in handles.enumerated() {
        if let handle { pthread_join(handle, nil) } else { body(index) }
    }
}

private final class Work {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}

/// A thread that does some work; nil when the system has none left.
@discardableResult
private func spawn(_ body: @escaping @Sendable () -> Void) -> pthread_t? {
    let work = Unmanaged.passRetained(Work(body)).toOpaque()
    #if canImport(Darwin)
        var handle: pthread_t?
        let status = pthread_create(
            &handle, nil,
            {
                Unmanaged<Work>.fromOpaque($0).takeRetainedValue().body(); return nil
            }, work)
        if status == 0 { return handle }
    #else
        var handle = pthread_t()
        let status = pthread_create(
            &handle, nil,
            { work in
                if let work { Unmanaged<Work>.fromOpaque(work).takeRetainedValue().body() }
                return nil
            }, work)
        if status == 0 { return handle }
    #endif
    Unmanaged<Work>.fromOpaque(work).release()
    return nil
}

/// A point that `count` threads wait at until all are there.
package final class Gate: Sendable {
    private let missing: Atomic<Int>

    /// A gate for that many threads.
    package init(count: Int) { missing = Atomic(count) }

    /// Returns when all have come.
    package func wait() {
        missing.subtract(1, ordering: .sequentiallyConsistent)
        while missing.load(ordering: .sequentiallyConsistent) > 0 { sched_yield() }
    }
}
