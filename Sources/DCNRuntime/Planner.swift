internal import DCNGraph
internal import DCNOperators

/// Makes the plan of one segment: from a node up to where types depend on data.
struct Planner {
    let graph: Graph
    /// All nodes in running order.
    let order: [NodeID]
    let liveness: Liveness
    let instructionSet: InstructionSet
    /// The threads that share the tiles.
    let threads: Int
    let start: Int
    /// Most bytes that a run may take: a value above it is refused before anything is made for it.
    let byteLimit: Int
    /// Types of values alive at the start and of those planned so far.
    var types: [Int: ValueType]
    /// Values known at the start, and those that became known.
    var known: [Int: Datum]
    private var drafts: [Draft] = []
    private var newlyKnown: [Int: Datum] = [:]
    private var end: Int

    /// Constants up to this size are computed while planning: shapes, not data.
    static let smallByteCount = 1 << 16
    /// What the values that one plan knows may take together; what is above is computed in the run.
    static let knownByteCount = 1 << 26
    private var knownBytes = 0

    private struct Draft {
        let node: NodeID
        let execution: Execution
        let outputTypes: [ValueType?]
        /// Bytes that a kernel writes although nobody wants them, by output.
        let unwanted: [Int: Int]
        let multiplyAdds: Int
    }

    init(
        graph: Graph, order: [NodeID], liveness: Liveness, instructionSet: InstructionSet, threads: Int,
        start: Int, byteLimit: Int, types: [Int: ValueType], known: [Int: Datum]
    ) {
        self.graph = graph
        self.order = order
        self.liveness = liveness
        self.instructionSet = instructionSet
        self.threads = threads
        self.start = start
        self.byteLimit = byteLimit
        self.types = types
        self.known = known
        end = start
    }

    /// The plan; throws a `plan` error with the node's origin when types do not fit, or when `environment`, that of the
    /// run it is made for, says that it is to stop.
    mutating func plan(in environment: RunEnvironment? = nil) throws(DCNError) -> Plan {
        while end < order.count {
            let id = order[end]
            do throws(Misfit) {
                try environment?.checkpoint()
                guard try add(id) else { break }
            } catch { throw DCNError(error, .plan, at: graph[id].origin) }
            end += 1
            if let last = drafts.last, last.node == id,
                last.outputTypes.contains(where: { $0?.isPlannable == false })
            {
                break
            }
        }
        return laidOut()
    }

    /// Adds one node; false when the segment has to end before it.
    private mutating func add(_ id: NodeID) throws(Misfit) -> Bool {
        let node = graph[id]
        let constants = node.inputs.map { $0.flatMap(value) }
        let operands = Inputs(
            node.inputs.map { $0.flatMap { types[$0.index] ?? graph[$0].constant?.type } },
            constants: constants,
            bodies: node.bodies, outputCount: node.outputs.count)
        let all = try node.op.boundedOutputTypes(for: operands, within: graph.limits)
        let outputTypes: [ValueType?] = zip(node.outputs, all).map { $0 == nil ? nil : $1 }
        if fold(node, operands, outputTypes, constants) { return true }
        let isConcrete = outputTypes.allSatisfy { $0?.isConcrete ?? true }
        guard outputTypes.allSatisfy({ $0?.isPlannable ?? true }) || end == start else { return false }
        try expectRoom(for: all)
        if node.op.isPure, node.bodies.isEmpty, outputTypes.allSatisfy({ $0 == nil }) { return true }
        let call = Call(
            inputs: operands.types, outputs: isConcrete ? all : outputTypes, constants: constants,
            instructionSet: instructionSet, bodies: node.bodies, threads: threads)
        let execution = try node.op.wideningExecution(for: call)
        if case .kernel = execution, !isConcrete { throw .unsupported("a kernel whose shape is not known") }
        for (output, type) in zip(node.outputs, outputTypes) { if let output { types[output.index] = type } }
        drafts.append(
            Draft(
                node: id, execution: execution, outputTypes: outputTypes,
                unwanted: unwanted(node, execution, all),
                multiplyAdds: node.op.multiplyAdds(inputs: operands.types, outputs: outputTypes)))
        return true
    }

    /// Kernels write every output that the node lists: those that nobody wants need a place too.
    private func unwanted(_ node: Node, _ execution: Execution, _ types: [ValueType]) -> [Int: Int] {
        guard case .kernel = execution, node.outputs.contains(where: { $0 == nil }) else { return [:] }
        var sizes: [Int: Int] = [:]
        for (index, output) in node.outputs.enumerated() where output == nil {
            sizes[index] = rounded(types[index].tensor?.byteCount ?? 0, to: 64)
        }
        return sizes
    }

    private func expectRoom(for types: [ValueType?]) throws(Misfit) {
        for type in types { try type?.tensor?.expectRoom("the memory asked for in bytes", limit: byteLimit) }
    }

    /// What is known of a value: constants of the graph, and small values that followed from shapes.
    private func value(of id: ValueID) -> Datum? { graph[id].constant ?? known[id.index] }

    /// Computes a node now when it follows from shapes alone and is small.
    private mutating func fold(
        _ node: Node, _ operands: Inputs, _ types: [ValueType?], _ constants: [Datum?]
    ) -> Bool {
        guard node.op.isPure, node.bodies.isEmpty, knownBytes < Self.knownByteCount else { return false }
        if let values = follow(node, operands, types) {
            for (output, value) in zip(node.outputs, values) { if let output { know(output, value) } }
            return true
        }
        guard zip(node.inputs, constants).allSatisfy({ $0 == nil || ($1.map(isSmall) ?? false) }),
            types.allSatisfy({ $0?.tensor?.byteCount.map { $0 <= Self.smallByteCount } ?? true }),
            let values = try? evaluate(
                node.op, constants, outputCount: node.outputs.count, instructionSet: instructionSet,
                byteLimit: Self.smallByteCount),
            values.count >= node.outputs.count
        else { return false }
        for (output, value) in zip(node.outputs, values) { if let output { know(output, value) } }
        return true
    }

    private func follow(_ node: Node, _ operands: Inputs, _ types: [ValueType?]) -> [Datum]? {
        let dimensions = node.op.dimensions(for: operands, fitting: types)
        guard !dimensions.isEmpty, dimensions.count >= node.outputs.count else { return nil }
        var values: [Datum] = []
        for (type, dimensions) in zip(types, dimensions) {
            guard let extents = type?.tensor?.extents, type?.tensor?.element == .int64,
                let integers = dimensions.flatMap({ Shape($0).fixed }),
                let tensor = Tensor(extents: extents, integers.map { Int64($0) })
            else { return nil }
            values.append(.tensor(tensor))
        }
        return values
    }

    private func isSmall(_ datum: Datum) -> Bool {
        datum.tensor.map { $0.byteCount <= Self.smallByteCount } ?? false
    }

    private mutating func know(_ output: ValueID, _ value: Datum) {
        knownBytes += value.heldByteCount
        known[output.index] = value
        newlyKnown[output.index] = value
        types[output.index] = value.type
    }

    // MARK: memory

    /// Gives every value of the segment a place.
    private func laidOut() -> Plan {
        var layout = SegmentLayout(graph: graph, liveness: liveness, end: end, routineReads: routineReads)
        for (index, draft) in drafts.enumerated() {
            let sizes = draft.outputTypes.map { $0?.tensor?.byteCount ?? 0 }
            layout.add(graph[draft.node], draft.execution, sizes: sizes, step: index)
        }
        let (slots, arenaByteCount) = layout.finished()
        let sink = rounded(arenaByteCount, to: 64)
        let sinkByteCount = drafts.map { $0.unwanted.values.reduce(0, +) }.max() ?? 0
        var scratch = 0
        var steps: [Step] = []
        for draft in drafts {
            if case .kernel(let kernel) = draft.execution { scratch = max(scratch, kernel.scratchByteCount) }
            let node = graph[draft.node]
            steps.append(
                Step(
                    node: draft.node, execution: draft.execution,
                    inputs: node.inputs.map { slot($0, slots) },
                    outputs: outputSlots(node, draft, slots, sink: sink),
                    outputTypes: draft.outputTypes, multiplyAdds: draft.multiplyAdds))
        }
        release(&steps)
        return Plan(
            end: end, steps: steps,
            arenaByteCount: sinkByteCount > 0 ? sink + sinkByteCount : arenaByteCount,
            scratchByteCount: rounded(scratch, to: 64),
            known: newlyKnown, valueByteCount: layout.valueByteCount)
    }

    /// Values that routines of the segment read: those are tensors of their own.
    private var routineReads: Set<Int> {
        var reads: Set<Int> = []
        for draft in drafts {
            guard case .routine = draft.execution else { continue }
            reads.formUnion(graph[draft.node].inputs.compactMap { $0?.index })
        }
        return reads
    }

    /// Where a node's outputs go; those that nobody wants one behind the other from `sink` on.
    private func outputSlots(_ node: Node, _ draft: Draft, _ slots: [Int: Int], sink: Int) -> [Slot] {
        var next = sink
        return node.outputs.enumerated().map { index, output in
            guard output == nil, let bytes = draft.unwanted[index] else { return slot(output, slots) }
            defer { next += bytes }
            return .arena(offset: next)
        }
    }

    private func slot(_ id: ValueID?, _ offsets: [Int: Int]) -> Slot {
        guard let id else { return .none }
        if let value = value(of: id) { return .constant(value) }
        if let offset = offsets[id.index] { return .arena(offset: offset) }
        return .value(id.index)
    }

    /// Notes after which step each value of its own goes.
    private func release(_ steps: inout [Step]) {
        var seen: Set<Int> = []
        for index in steps.indices.reversed() {
            for slot in steps[index].inputs + steps[index].outputs {
                guard case .value(let value) = slot, seen.insert(value).inserted else { continue }
                if liveness.lastUse[value] < end { steps[index].released.append(value) }
            }
        }
    }
}

extension ValueType {
    /// Whether what follows can be planned before the value is there: all but tensors whose extents only data tells.
    fileprivate var isPlannable: Bool { tensor == nil || isConcrete }
}
