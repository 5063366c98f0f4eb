package import DCNGraph
internal import DCNOperators

/// What a plan for given inputs asks for, as far as it is known before a run.
package struct PlanEstimate: Sendable {
    /// Bytes of arena, of scratch of one thread, and of values of their own.
    package let byteCount: Int
    /// Multiply-adds of one run.
    package let multiplyAdds: Int
    /// Whether the plan reaches the end; else types depend on data from some node on.
    package let isComplete: Bool
}

extension Model {
    /// The plan for the declared inputs, symbols and unknown extents counted as 1; nil where an input has no known rank.
    package func estimate() throws(DCNError) -> PlanEstimate? {
        var types: [Int: ValueType] = [:]
        for id in graph.inputs {
            guard case .tensor(let type) = graph[id].type, let shape = type.shape else { return nil }
            types[id.index] = .tensor(
                TensorType(type.element, extents: shape.dimensions.map { $0.fixed ?? 1 }))
        }
        guard !runner.order.isEmpty else {
            return PlanEstimate(byteCount: 0, multiplyAdds: 0, isComplete: true)
        }
        var planner = Planner(
            graph: runner.graph, order: runner.order, liveness: runner.liveness, instructionSet: .best,
            threads: 1, start: 0,
            byteLimit: physicalMemory(), types: types, known: [:])
        let plan = try planner.plan()
        return PlanEstimate(
            byteCount: plan.arenaByteCount + plan.scratchByteCount + plan.valueByteCount,
            multiplyAdds: plan.steps.reduce(0) { $0 &+ $1.multiplyAdds },
            isComplete: plan.end == runner.order.count)
    }
}
