public import DCNGraph
internal import DCNOperators

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One caller of a model: its own arena, its own run at a time.
public struct Session: ~Copyable {
    /// The model that runs.
    public let model: Model
    private let options: Options
    private let workspace = Workspace()
    private let budget: Budget

    /// A session of a model.
    ///
    /// Throws a `system` error when the instruction set asked for is not to be had on this machine.
    public init(_ model: Model, options: Options = Options()) throws(DCNError) {
        if let wanted = options.instructionSet, !InstructionSet.available.contains(wanted) {
            throw DCNError(.system, .plan, "this machine has no \(wanted.rawValue)")
        }
        self.model = model
        self.options = options
        budget = Budget(limit: options.memoryLimit ?? physicalMemory(), tripLimit: options.tripLimit)
    }

    /// Bytes of arena and scratch held between runs.
    public var plannedByteCount: Int { workspace.byteCount }

    /// Runs on tensors; every output must be a tensor.
    public mutating func run(
        _ inputs: [String: Tensor], until cancellation: Cancellation? = nil, deadline: Int? = nil
    ) throws(DCNError) -> [String: Tensor] {
        let results: [String: Datum] = try run(
            inputs.mapValues(Datum.tensor), until: cancellation, deadline: deadline)
        var tensors: [String: Tensor] = [:]
        for (name, datum) in results {
            guard let tensor = datum.tensor else {
                throw DCNError(.input, .run, "output '\(escaped(name))' is \(datum.type): run it on values")
            }
            tensors[name] = tensor
        }
        return tensors
    }

    /// Runs on values of any type. `deadline` is in nanoseconds of the monotonic clock.
    ///
    /// Throws `input` errors when the inputs do not fit; the session can run again after any error.
    public mutating func run(
        _ inputs: [String: Datum], until cancellation: Cancellation? = nil, deadline: Int? = nil
    ) throws(DCNError) -> [String: Datum] {
        let operands = try bind(inputs)
        budget.reset(to: options.heldByteCount + workspace.byteCount)
        let environment = RunEnvironment(
            team: options.team, instructionSet: options.instructionSet ?? .best, budget: budget,
            observer: options.observer, cancellation: cancellation, deadline: deadline)
        var run = Run(model.runner, inputs: operands, workspace: workspace, environment: environment)
        let results: [Datum]
        do { results = try run.outputs() } catch { throw model.graph.blamed(error) }
        return Dictionary(zip(model.graph.outputNames, results), uniquingKeysWith: { first, _ in first })
    }

    private func bind(_ inputs: [String: Datum]) throws(DCNError) -> [Datum?] {
        let declared = model.inputs
        if let unknown = Set(inputs.keys).subtracting(declared.map(\.name)).min() {
            let names = declared.map { "'" + escaped($0.name) + "'" }.joined(separator: ", ")
            throw DCNError(.input, .run, "the model has no input '\(escaped(unknown))', it has \(names)")
        }
        var operands: [Datum?] = []
        for (name, type) in declared {
            guard let datum = inputs[name] else {
                throw DCNError(.input, .run, "input '\(escaped(name))' is missing (\(type))")
            }
            try check(name, datum, against: type)
            operands.append(datum)
        }
        try checkSymbols(declared.map(\.type), operands)
        return operands
    }

    /// What a sequence or optional value says that it holds is planned with, so it must hold that too.
    private func check(_ name: String, _ datum: Datum, against type: ValueType) throws(DCNError) {
        switch (datum, type) {
        case (.tensor(let tensor), .tensor(let expected)): try check(name, tensor, against: expected)
        case (.sequence(let items, let said), .sequence(let element)):
            for (index, item) in items.enumerated() {
                try check("\(name).\(index)", item, against: element)
                try check("\(name).\(index)", item, against: said)
            }
        case (.optional(let item, let said), .optional(let element)):
            guard let item else { return }
            try check(name, item, against: element)
            try check(name, item, against: said)
        default:
            throw DCNError(.input, .run, "input '\(escaped(name))' is \(datum.type), expected \(type)")
        }
    }

    private func check(_ name: String, _ tensor: Tensor, against expected: TensorType) throws(DCNError) {
        let agrees =
            expected.shape.map { shape in
                shape.rank == tensor.extents.count
                    && zip(shape.dimensions, tensor.extents).allSatisfy { $0.fixed == nil || $0.fixed == $1 }
            } ?? true
        guard tensor.type.element == expected.element, agrees else {
            throw DCNError(.input, .run, "input '\(escaped(name))' is \(tensor.type), expected \(expected)")
        }
    }

    /// A symbol stands for one number wherever it is written.
    private func checkSymbols(_ types: [ValueType], _ operands: [Datum?]) throws(DCNError) {
        var numbers: [String: Int] = [:]
        for (type, datum) in zip(types, operands) {
            guard let shape = type.tensor?.shape, let extents = datum?.tensor?.extents else { continue }
            for (dimension, extent) in zip(shape.dimensions, extents) {
                guard case .symbol(let name) = dimension else { continue }
                if let other = numbers.updateValue(extent, forKey: name), other != extent {
                    throw DCNError(
                        .input, .run,
                        "\(escaped(name)) is \(extent) and \(other): it must be the same everywhere")
                }
            }
        }
    }
}

/// Bytes of memory that the machine has.
func physicalMemory() -> Int {
    let pages = sysconf(Int32(_SC_PHYS_PAGES))
    let size = sysconf(Int32(_SC_PAGESIZE))
    guard pages > 0, size > 0 else { return 1 << 34 }
    return pages * size
}
