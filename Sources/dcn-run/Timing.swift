import DCN
import DCNCommandLine
import DCNFiles
import Synchronization

extension Job {
    /// Warms up, measures and prints; the answer is that of the first run.
    func measure() throws -> [String: Datum] {
        let warmups = command.timing.warmup ?? 1
        let repeats = command.timing.repeats ?? 1
        let sessions = command.timing.sessions
        watcher.isPaused = warmups > 0
        var first = try session()
        let start = ProcessFacts.clock
        let answer: [String: Datum] = try first.run(inputs, deadline: deadline)
        let firstEnd = ProcessFacts.clock
        var figures = Figures()
        figures.firstRun = firstEnd - start
        figures.process = firstEnd - ProcessFacts.start
        figures.load = loadNanoseconds
        if let sessions {
            try measureSideBySide(sessions, warmups: warmups, repeats: repeats, &figures)
            figures.planned = first.plannedByteCount * sessions
        } else {
            figures.samples = try samples(
                &first, warmups: max(0, warmups - 1), repeats: repeats - (warmups == 0 ? 1 : 0))
            if warmups == 0 { figures.samples.insert(firstEnd - start, at: 0) }
            figures.planned = first.plannedByteCount
        }
        figures.anonymous = ProcessFacts.anonymousByteCount
        figures.peak = ProcessFacts.peakByteCount
        try Console.print(command.json ? figures.json(profile: jsonProfile(repeats)).text : figures.line)
        if command.watching.profile, !command.json {
            for line in watcher.profile(runs: repeats * (sessions ?? 1)) { try Console.print(line) }
        }
        return answer
    }

    private func jsonProfile(_ repeats: Int) -> Json? {
        command.watching.profile ? watcher.jsonProfile(runs: repeats * (command.timing.sessions ?? 1)) : nil
    }

    private func samples(_ session: inout Session, warmups: Int, repeats: Int) throws -> [Int] {
        for _ in 0..<warmups { let _: [String: Datum] = try session.run(inputs, deadline: deadline) }
        watcher.isPaused = false
        var samples: [Int] = []
        for _ in 0..<repeats {
            let start = ProcessFacts.clock
            let _: [String: Datum] = try session.run(inputs, deadline: deadline)
            samples.append(ProcessFacts.clock - start)
        }
        return samples
    }

    /// Sessions of one model, each on a thread and with a team of its own.
    private func measureSideBySide(_ count: Int, warmups: Int, repeats: Int, _ figures: inout Figures) throws
    {
        let gate = Gate(count: count)
        let results = Mutex<[Result<(samples: [Int], start: Int, end: Int), any Error>]>([])
        let (job, inputs, deadline) = (self, inputs, deadline)
        sideBySide(count) { _ in
            var passed = false
            let result = Result<(samples: [Int], start: Int, end: Int), any Error> {
                var session = try job.session()
                for _ in 0..<warmups { let _: [String: Datum] = try session.run(inputs, deadline: deadline) }
                gate.wait()
                passed = true
                let start = ProcessFacts.clock
                let samples = try job.samples(&session, warmups: 0, repeats: repeats)
                return (samples, start, ProcessFacts.clock)
            }
            if !passed { gate.wait() }
            results.withLock { $0.append(result) }
        }
        let done = try results.withLock { try $0.map { try $0.get() } }
        let span = (done.map(\.end).max() ?? 0) - (done.map(\.start).min() ?? 0)
        figures.samples = done.flatMap(\.samples)
        figures.runsPerSecond = Double(count * repeats) / (Double(max(1, span)) / 1e9)
    }
}

/// What a measurement found, times in nanoseconds.
private struct Figures {
    var samples: [Int] = []
    var load = 0
    var firstRun = 0
    var process = 0
    var planned = 0
    var peak = 0
    var anonymous = 0
    var runsPerSecond: Double?

    /// The value that a share of the samples is not above.
    private func quantile(_ share: Double) -> Double {
        let sorted = samples.sorted()
        guard !sorted.isEmpty else { return 0 }
        if share == 0.5, sorted.count % 2 == 0 {
            return milliseconds(sorted[sorted.count / 2 - 1] + sorted[sorted.count / 2]) / 2
        }
        return milliseconds(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))])
    }

    private func milliseconds(_ nanoseconds: Int) -> Double { Double(nanoseconds) / 1e6 }

    var line: String {
        var line =
            "median_ms=\(fixed(quantile(0.5), 3)) min_ms=\(fixed(quantile(0), 3)) p90_ms=\(fixed(quantile(0.9), 3))"
        line += " peak_rss_mb=\(fixed(Double(peak) / 1048576, 1))"
        if let runsPerSecond { line += " runs_per_second=\(fixed(runsPerSecond, 2))" }
        return line
    }

    func json(profile: Json?) -> Json {
        var members: [(String, Json)] = [
            ("samples_ms", .array(samples.map { .number(milliseconds($0)) })),
            ("load_ms", .number(milliseconds(load))),
            ("first_run_ms", .number(milliseconds(firstRun))), ("planned_bytes", .int(planned)),
            ("peak_rss_bytes", .int(peak)), ("anonymous_bytes", .int(anonymous)),
            ("process_ms", .number(milliseconds(process))),
        ]
        if let runsPerSecond { members.append(("runs_per_second", .number(runsPerSecond))) }
        if let profile { members.append(("profile", profile)) }
        return .object(members)
    }
}
