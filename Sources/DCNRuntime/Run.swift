internal import DCNGraph

/// One run of one graph on one session's memory and threads.
struct Run {
    let runner: GraphRunner
    let workspace: Workspace
    let environment: RunEnvironment
    var values: [Datum?]
    var known: [Int: Datum] = [:]

    init(_ runner: GraphRunner, inputs: [Datum?], workspace: Workspace, environment: RunEnvironment) {
        self.runner = runner
        self.workspace = workspace
        self.environment = environment
        workspace.outputs.turn()
        values = Array(repeating: nil, count: runner.graph.valueCount)
        for (input, datum) in zip(runner.graph.inputs, inputs) { values[input.index] = datum.map(aligned) }
    }

    /// The outputs, in order.
    mutating func outputs() throws(DCNError) -> [Datum] {
        var position = 0
        while position < runner.order.count {
            let plan = try runner.plan(from: position, values: values, known: known, in: environment)
            try execute(plan)
            position = plan.end
        }
        var results: [Datum] = []
        for output in runner.graph.outputs {
            guard let datum = values[output.index] ?? known[output.index] ?? runner.graph[output].constant
            else {
                throw DCNError(.defect, .run, "output '\(runner.graph[output].name)' was not computed")
            }
            results.append(datum)
        }
        return results
    }

    private mutating func execute(_ plan: Plan) throws(DCNError) {
        let threads = environment.team.threads
        do throws(Misfit) {
            let (scratch, overflow) = plan.scratchByteCount.multipliedReportingOverflow(by: threads)
            try workspace.reserve(
                arena: plan.arenaByteCount, scratch: overflow ? Int.max : scratch, budget: environment.budget)
        } catch { throw DCNError(error, .run, at: nil) }
        known.merge(plan.known) { _, new in new }
        for step in plan.steps {
            let start = environment.observer == nil ? 0 : now()
            do throws(Misfit) {
                try environment.checkpoint()
                switch step.execution {
                case .kernel(let kernel): try run(kernel, step, plan)
                case .routine(let routine): try run(routine, step)
                }
            } catch { throw DCNError(error, .run, at: runner.graph[step.node].origin) }
            if let observer = environment.observer { report(step, since: start, to: observer) }
            for value in step.released { release(value) }
        }
    }

    private mutating func release(_ value: Int) {
        if let held = values[value] { environment.budget.give(back: held.heldByteCount) }
        values[value] = nil
    }

    // MARK: kernels

    private mutating func run(_ kernel: any Kernel, _ step: Step, _ plan: Plan) throws(Misfit) {
        try makeOutputs(of: step)
        let inputs: [UnsafeRawPointer?] = step.inputs.map { address(of: $0) }
        let outputs: [UnsafeMutableRawPointer?] = step.outputs.map {
            address(of: $0).map(UnsafeMutableRawPointer.init(mutating:))
        }
        let scratch = workspace.scratch.base
        let share = plan.scratchByteCount
        // Safe: arena, scratch, constants and values of their own outlive the step; each thread has its own scratch.
        let failure = inputs.withUnsafeBufferPointer { inputs in
            outputs.withUnsafeBufferPointer { outputs -> Misfit? in
                nonisolated(unsafe) let tables = (inputs, outputs, scratch)
                do throws(Misfit) {
                    try kernel.check(Frame(inputs: inputs, outputs: outputs, scratch: scratch))
                } catch { return error }
                environment.share(kernel.tileCount) { tile, thread in
                    kernel.run(
                        tile: tile,
                        in: Frame(inputs: tables.0, outputs: tables.1, scratch: tables.2 + thread * share))
                }
                return nil
            }
        }
        if let failure { throw failure }
        try environment.checkpoint()
    }

    private mutating func makeOutputs(of step: Step) throws(Misfit) {
        for (slot, type) in zip(step.outputs, step.outputTypes) {
            guard case .value(let value) = slot, let type = type?.tensor else { continue }
            let isOutput = runner.liveness.lastUse[value] == Int.max
            let tensor = try environment.allocate(type, from: isOutput ? workspace.outputs : nil)
            values[value] = .tensor(tensor.finished)
        }
    }

    private func address(of slot: Slot) -> UnsafeRawPointer? {
        switch slot {
        case .none: nil
        case .arena(let offset): UnsafeRawPointer(workspace.arena.base + offset)
        case .constant(let datum): datum.tensor?.base
        case .value(let value): values[value]?.tensor?.base
        }
    }

    // MARK: routines

    private mutating func run(_ routine: any Routine, _ step: Step) throws(Misfit) {
        var operands = step.inputs.map { datum(in: $0) }
        // Who reads a value last may change it where it lies, so nobody else may hold it.
        var released = 0
        for value in step.released {
            released += values[value]?.heldByteCount ?? 0
            values[value] = nil
        }
        let scope = SessionScope(
            environment: environment, bodies: runner.bodies[step.node] ?? [], node: step.node,
            workspace: workspace)
        let results = try routine.run(taking: &operands, in: scope)
        for (index, slot) in step.outputs.enumerated() {
            guard case .value(let value) = slot else { continue }
            guard index < results.count, let result = results[index] else {
                throw .missing("output \(index)")
            }
            try result.type.expectBounded("output \(index)", by: runner.graph.limits)
            try environment.budget.take(result.heldByteCount)
            values[value] = aligned(result)
        }
        environment.budget.give(back: released)
    }

    private func datum(in slot: Slot) -> Datum? {
        switch slot {
        case .none, .arena: nil
        case .constant(let datum): datum
        case .value(let value): values[value]
        }
    }

    // MARK: watching

    private func report(_ step: Step, since start: Int, to observer: any StepObserver) {
        let node = runner.graph[step.node]
        let names = node.outputs.map { $0.map { runner.graph[$0].name } ?? "" }
        let report = StepReport(
            node: node.name.isEmpty ? names.first ?? "" : node.name, operatorName: node.op.name,
            outputs: step.outputTypes, multiplyAdds: step.multiplyAdds, start: start, end: now())
        observer.finished(report) {
            zip(zip(names, step.outputs), step.outputTypes).compactMap { named, type in
                copy(of: named.1, type).map { (named.0, $0) }
            }
        }
    }

    private func copy(of slot: Slot, _ type: ValueType?) -> Datum? {
        guard case .arena(let offset) = slot else { return datum(in: slot) }
        guard let type = type?.tensor, let copy = MutableTensor(uninitialised: type) else { return nil }
        copy.storage.base.copyMemory(from: workspace.arena.base + offset, byteCount: type.byteCount ?? 0)
        return .tensor(copy.finished)
    }
}

/// Typed access needs aligned bytes.
private func aligned(_ datum: Datum) -> Datum {
    guard case .tensor(let tensor) = datum else { return datum }
    return .tensor(tensor.aligned())
}
