internal import DCN

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif
/// What this process may use, and what it has used.
package enum ProcessFacts {
    /// How many threads can work at once: the cores that the scheduler and the container allow.
    package static var coreCount: Int {
        var count = Team.processors
        #if canImport(Glibc)
            // A mask in hexadecimal digits, commas between groups.
            if let mask = text(of: "/proc/self/status")?.split(separator: "\n").first(where: {
                $0.hasPrefix("Cpus_allowed:")
            }) {
                let digits = mask.dropFirst("Cpus_allowed:".count).compactMap(\.hexDigitValue)
                let allowed = digits.reduce(0) { $0 + $1.nonzeroBitCount }
                if allowed > 0 { count = allowed }
            }
            if let quota = words(of: "/sys/fs/cgroup/cpu.max"), quota.count == 2, let share = Int(quota[0]),
                let period = Int(quota[1]), period > 0
            {
                count = min(count, max(1, (share + period - 1) / period))
            }
        #endif
        return count
    }

    /// Bytes that the machine can still give; nil when it does not say.
    package static var availableByteCount: Int? {
        #if canImport(Glibc)
            var available = field("MemAvailable:", of: "/proc/meminfo")
            if let limit = words(of: "/sys/fs/cgroup/memory.max")?.first.flatMap({ Int($0) }) {
                let used = words(of: "/sys/fs/cgroup/memory.current")?.first.flatMap { Int($0) } ?? 0
                // What the container holds of file pages can be given back; it is counted as used here, to be safe.
                available = min(available ?? limit, max(0, limit - used))
            }
            return available
        #else
            return nil
        #endif
    }

    /// The most memory this process ever had in use at once, mapped pages included.
    package static var peakByteCount: Int {
        if let peak = field("VmHWM:", of: "/proc/self/status") { return peak }
        var usage = rusage()
        getrusage(wholeProcess, &usage)
        #if canImport(Darwin)
            return Int(usage.ru_maxrss)
        #else
            return Int(usage.ru_maxrss) * 1024
        #endif
    }

    /// Memory in use now, mapped files apart; where the system does not tell them apart, the peak.
    package static var anonymousByteCount: Int { field("RssAnon:", of: "/proc/self/status") ?? peakByteCount }

    /// The monotonic clock in nanoseconds.
    package static var clock: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1_000_000_000 + time.tv_nsec
    }

    /// When this process began, on the monotonic clock. Linux tells it in ticks of 10 ms; within the tick it follows
    /// from the processor time used so far. Meant to be read first of all, and once.
    package static let start: Int = {
        let now = clock
        var usage = rusage()
        getrusage(wholeProcess, &usage)
        let micros =
            Int(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1_000_000
            + Int(usage.ru_utime.tv_usec) + Int(usage.ru_stime.tv_usec)
        let busy = now - micros * 1000
        #if canImport(Glibc)
            var boot = timespec()
            clock_gettime(CLOCK_BOOTTIME, &boot)
            let asleep = boot.tv_sec * 1_000_000_000 + boot.tv_nsec - now
            let fields = text(of: "/proc/self/stat").flatMap { $0.split(separator: ")").last }?.split(
                separator: " ")
            guard let fields, fields.count > 19, let ticks = Int(fields[19]) else { return busy }
            let tick = 1_000_000_000 / max(1, Int(sysconf(Int32(_SC_CLK_TCK))))
            let begin = ticks * tick - asleep
            return min(now, max(begin, min(busy, begin + tick)))
        #else
            return busy
        #endif
    }()

    #if canImport(Darwin)
        private static let wholeProcess = RUSAGE_SELF
    #else
        private static let wholeProcess = __rusage_who_t(RUSAGE_SELF.rawValue)
    #endif

    private static func field(_ name: String, of path: String) -> Int? {
        guard let line = text(of: path)?.split(separator: "\n").first(where: { $0.hasPrefix(name) }) else {
            return nil
        }
        let words = line.split { $0 == " " || $0 == "\t" }
        return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
    }

    private static func words(of path: String) -> [Substring]? {
        text(of: path)?.split { $0 == " " || $0 == "\n" }
    }

    private static func text(of path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while bytes.count < 1 << 20 {
            let count = read(descriptor, &block, block.count)
            guard count > 0 else { break }
            bytes += block[..<count]
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
