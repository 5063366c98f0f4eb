/// What an operator is told when its execution is made: concrete types, known values, and the machine.
public struct Call: Sendable {
    /// One entry per input; nil where it is left out.
    public let inputs: [ValueType?]
    /// One entry per output; extents are known for a kernel, may be unknown for a routine.
    public let outputs: [ValueType?]
    /// Values of inputs that are known.
    public let constants: [Datum?]
    /// Which kernels to take.
    public let instructionSet: InstructionSet
    /// The graphs in the node.
    public let bodies: [Graph]
    /// How many threads share the tiles. Tiles may depend on it, answers do not.
    public let threads: Int

    /// A call from its parts.
    public init(
        inputs: [ValueType?], outputs: [ValueType?], constants: [Datum?] = [],
        instructionSet: InstructionSet, bodies: [Graph] = [], threads: Int = 2
    ) {
        self.inputs = inputs
        self.outputs = outputs
        self.constants = constants + Array(repeating: nil, count: max(0, inputs.count - constants.count))
        self.instructionSet = instructionSet
        self.bodies = bodies
        self.threads = max(1, threads)
    }

    /// How many tiles are wanted, where cutting finer costs little: enough to share out.
    package var tilesWanted: Int { threads == 1 ? 1 : 8 * threads }

    /// The tensor type of a given input.
    public func input(_ index: Int) throws(Misfit) -> TensorType {
        guard index < inputs.count, let type = inputs[index]?.tensor else { throw .missing("input \(index)") }
        return type
    }

    /// Whether an input is given.
    public func has(_ index: Int) -> Bool { index < inputs.count && inputs[index] != nil }

    /// The known extents of a given input.
    public func extents(_ index: Int) throws(Misfit) -> [Int] {
        guard let extents = try input(index).extents else { throw .missing("the shape of input \(index)") }
        return extents
    }

    /// The tensor type of an output.
    public func output(_ index: Int) throws(Misfit) -> TensorType {
        guard index < outputs.count, let type = outputs[index]?.tensor else {
            throw .missing("output \(index)")
        }
        return type
    }

    /// The known extents of an output.
    public func outputExtents(_ index: Int) throws(Misfit) -> [Int] {
        guard let extents = try output(index).extents else { throw .missing("the shape of output \(index)") }
        return extents
    }

    /// The known value of an input.
    public func constant(_ index: Int) -> Tensor? { index < constants.count ? constants[index]?.tensor : nil }
}
