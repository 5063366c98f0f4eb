internal import DCNGraph
internal import Synchronization

/// A graph with its bodies and the plans made for it so far: shared by sessions, on any thread.
final class GraphRunner: Sendable {
    let graph: Graph
    /// The nodes in running order.
    let order: [NodeID]
    let liveness: Liveness
    /// Runners of the bodies, by node.
    let bodies: [NodeID: [GraphRunner]]
    private let plans = Mutex(PlanCache())

    init(_ graph: Graph) {
        var aligned = graph
        aligned.alignConstants()
        self.graph = aligned
        order = aligned.nodes
        liveness = Liveness(aligned)
        var bodies: [NodeID: [GraphRunner]] = [:]
        for node in order where !graph[node].bodies.isEmpty {
            bodies[node] = graph[node].bodies.map(GraphRunner.init)
        }
        self.bodies = bodies
    }

    /// The plan from position `start`, made now unless it is at hand.
    func plan(
        from start: Int, values: [Datum?], known: [Int: Datum], in environment: RunEnvironment
    ) throws(DCNError) -> Plan {
        var known = known
        knowOperands(of: start, values, &known)
        let key = key(start, values, known, environment)
        if let plan = plans.withLock({ $0[key] }) { return plan }
        var types: [Int: ValueType] = [:]
        for (index, value) in values.enumerated() { if let value { types[index] = value.type } }
        for (index, value) in known { types[index] = value.type }
        var planner = Planner(
            graph: graph, order: order, liveness: liveness,
            instructionSet: environment.instructionSet, threads: environment.team.threads, start: start,
            byteLimit: environment.budget.limit, types: types, known: known)
        let plan = try planner.plan(in: environment)
        plans.withLock { $0[key] = plan }
        return plan
    }

    /// Shapes of the first node may follow from values that the run has computed: small ones count as known.
    private func knowOperands(of start: Int, _ values: [Datum?], _ known: inout [Int: Datum]) {
        guard start > 0, start < order.count else { return }
        for input in graph[order[start]].inputs {
            guard let input, let datum = values[input.index], let tensor = datum.tensor,
                tensor.byteCount <= Planner.smallByteCount
            else { continue }
            known[input.index] = datum
        }
    }

    private func key(
        _ start: Int, _ values: [Datum?], _ known: [Int: Datum], _ environment: RunEnvironment
    ) -> PlanKey {
        let contents = known.keys.sorted().filter { liveness.lastUse[$0] >= start }.map { index -> [UInt8] in
            guard let tensor = known[index]?.tensor else { return [] }
            if tensor.type.element == .string { return tensor.strings.flatMap { $0.bytes + [0] } }
            return [UInt8(truncatingIfNeeded: index)] + tensor.withBytes { [UInt8]($0) }
        }
        let types = values.enumerated().compactMap { index, value in
            value.map { PlanKey.Living(value: index, type: $0.type) }
        }
        return PlanKey(
            start: start, types: types, contents: contents, instructionSet: environment.instructionSet,
            threads: environment.team.threads)
    }
}

/// The last few plans, by what they were made for.
struct PlanCache {
    private var plans: [PlanKey: (plan: Plan, used: Int)] = [:]
    private var clock = 0
    /// Enough for the segments of a detector at a few sizes.
    static let capacity = 64

    subscript(key: PlanKey) -> Plan? {
        mutating get {
            guard let entry = plans[key] else { return nil }
            clock += 1
            plans[key] = (entry.plan, clock)
            return entry.plan
        }
        set {
            guard let newValue else { return }
            if plans.count >= Self.capacity, let oldest = plans.min(by: { $0.value.used < $1.value.used }) {
                plans[oldest.key] = nil
            }
            clock += 1
            plans[key] = (newValue, clock)
        }
    }
}
