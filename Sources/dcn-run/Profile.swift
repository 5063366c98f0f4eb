import DCN
import DCNCommandLine
import DCNFiles

extension Watcher {
    /// Time of one run by node, those that take longest first, and by operator.
    func profile(runs: Int) -> [String] {
        let events = events
        let total = events.reduce(0) { $0 + $1.end - $1.start }
        func rows(_ shares: [Share], _ first: [String]) -> [[String]] {
            [first + ["ms", "share", "GFLOP/s"]]
                + shares.map { share in
                    share.names + [
                        fixed(share.milliseconds(runs), 3),
                        fixed(100 * Double(share.nanoseconds) / Double(max(1, total)), 1) + " %",
                        share.multiplyAdds == 0 ? "" : fixed(share.rate, 1),
                    ]
                }
        }
        let byNode = Share.sums(events) { [$0.node, $0.operatorName] }
        let byOperator = Share.sums(events) { [$0.operatorName] }
        return table(rows(byNode, ["node", "operator"]), right: [2, 3, 4]) + [""]
            + table(rows(byOperator, ["operator"]), right: [1, 2, 3])
    }

    /// The same as an object.
    func jsonProfile(runs: Int) -> Json {
        func list(_ shares: [Share], _ names: [String]) -> Json {
            .array(
                shares.map { share in
                    .object(
                        zip(names, share.names).map { ($0, Json.string($1)) } + [
                            ("ms", .number(share.milliseconds(runs))), ("gflops", .number(share.rate)),
                        ])
                })
        }
        return .object([
            ("nodes", list(Share.sums(events) { [$0.node, $0.operatorName] }, ["node", "operator"])),
            ("operators", list(Share.sums(events) { [$0.operatorName] }, ["operator"])),
        ])
    }

    /// Events in the form that Chrome's trace viewer and Perfetto read.
    var trace: Json {
        let events = events
        let start = events.map(\.start).min() ?? 0
        return .object([
            (
                "traceEvents",
                .array(
                    events.map { event in
                        .object([
                            ("name", .string(event.node)), ("cat", .string(event.operatorName)),
                            ("ph", .string("X")),
                            ("ts", .number(Double(event.start - start) / 1000)),
                            ("dur", .number(Double(event.end - event.start) / 1000)), ("pid", .int(1)),
                            ("tid", .int(1)),
                            (
                                "args",
                                .object([
                                    ("operator", .string(event.operatorName)),
                                    ("macs", .int(event.multiplyAdds)),
                                ])
                            ),
                        ])
                    })
            ),
            ("displayTimeUnit", .string("ms")),
        ])
    }
}

/// What steps of the same names took together.
private struct Share {
    let names: [String]
    var nanoseconds = 0
    var multiplyAdds = 0

    func milliseconds(_ runs: Int) -> Double { Double(nanoseconds) / 1e6 / Double(max(1, runs)) }
    /// Floating-point operations (two for each multiply-add) in a nanosecond.
    var rate: Double { 2 * Double(multiplyAdds) / Double(max(1, nanoseconds)) }

    static func sums(_ events: [Watcher.Event], _ names: (Watcher.Event) -> [String]) -> [Share] {
        var places: [[String]: Int] = [:]
        var shares: [Share] = []
        for event in events {
            let names = names(event)
            let place = places[names] ?? shares.count
            if place == shares.count {
                places[names] = place
                shares.append(Share(names: names))
            }
            shares[place].nanoseconds += event.end - event.start
            shares[place].multiplyAdds += event.multiplyAdds
        }
        return shares.sorted { $0.nanoseconds > $1.nanoseconds }
    }
}
