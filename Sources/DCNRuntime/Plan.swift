package import DCNGraph

/// Where an operand of a step lies.
package enum Slot: Sendable {
    /// Left out, or wanted by nobody.
    case none
    /// Bytes of the session's arena.
    case arena(offset: Int)
    /// A value known before the run.
    case constant(Datum)
    /// A tensor, sequence or optional of its own, by value index.
    case value(Int)
}

/// One node, ready to run.
package struct Step: Sendable {
    /// The node in its graph.
    package let node: NodeID
    /// How it runs.
    package let execution: Execution
    /// Where its operands lie.
    package var inputs: [Slot]
    /// Where its results go.
    package var outputs: [Slot]
    /// The types of its results.
    package let outputTypes: [ValueType?]
    /// Multiply-adds of one run.
    package let multiplyAdds: Int
    /// Values of their own that nobody reads after this step.
    package var released: [Int] = []
}

/// Steps from one node of a graph up to where types depend on data: immutable, shared by sessions.
package struct Plan: Sendable {
    /// The position of the first node after this plan.
    package let end: Int
    /// The steps, in running order.
    package let steps: [Step]
    /// Bytes of the arena.
    package let arenaByteCount: Int
    /// Bytes of scratch that each thread needs.
    package let scratchByteCount: Int
    /// Values that became known while planning, by value index.
    package let known: [Int: Datum]
    /// Bytes of tensors of their own that the steps make, as far as they are known.
    package let valueByteCount: Int
}

/// What a plan is made for: where it starts, and what is known of the values alive there.
package struct PlanKey: Sendable, Hashable {
    struct Living: Sendable, Hashable {
        let value: Int
        let type: ValueType
    }
    let start: Int
    let types: [Living]
    let contents: [[UInt8]]
    let instructionSet: InstructionSet
    let threads: Int
}
