/// Runs one operator on values, on the calling thread: how constants are folded and small shapes are followed.
package func evaluate(
    _ op: any Operator, _ inputs: [Datum?], outputCount: Int, instructionSet: InstructionSet, byteLimit: Int
) throws(Misfit) -> [Datum] {
    let types = try op.boundedOutputTypes(
        for: Inputs(inputs.map { $0?.type }, constants: inputs, outputCount: outputCount))
    let call = Call(
        inputs: inputs.map { $0?.type }, outputs: types, constants: inputs, instructionSet: instructionSet)
    for type in types { try type.tensor?.expectRoom("a folded constant", limit: byteLimit) }
    let scope = SerialScope(instructionSet: instructionSet, byteLimit: byteLimit)
    switch try op.execution(for: call) {
    case .routine(let routine): return try routine.run(inputs, in: scope).compactMap { $0 }
    case .kernel(let kernel):
        var outputs: [MutableTensor] = []
        for type in types {
            guard let tensor = type.tensor else { throw .unsupported("a kernel that gives no tensor") }
            outputs.append(try scope.allocate(tensor))
        }
        try scope.run(kernel, inputs: inputs.map { $0?.tensor }, outputs: outputs)
        return outputs.map { .tensor($0.finished) }
    }
}

/// A scope without session: one thread, no bodies.
package struct SerialScope: Scope {
    package let instructionSet: InstructionSet
    let byteLimit: Int

    /// A scope whose allocations are bounded one by one.
    package init(instructionSet: InstructionSet, byteLimit: Int) {
        self.instructionSet = instructionSet
        self.byteLimit = byteLimit
    }

    package func run(body index: Int, _ inputs: [Datum?]) throws(Misfit) -> [Datum] {
        throw .unsupported("a body outside a session")
    }

    package func checkpoint() throws(Misfit) {}

    package func expectRoom(for types: [ValueType]) throws(Misfit) {
        for type in types { try type.tensor?.expectRoom("the size of a value in bytes", limit: byteLimit) }
    }

    package func allocate(_ type: TensorType) throws(Misfit) -> MutableTensor {
        guard let bytes = type.byteCount, bytes <= byteLimit else {
            throw .limit(
                of: "the size of a value in bytes", asked: type.byteCount ?? Int.max, limit: byteLimit)
        }
        guard let tensor = MutableTensor(uninitialised: type) else {
            throw .missing("the shape of an output")
        }
        return tensor
    }

    package func run(_ kernel: any Kernel, inputs: [Tensor?], outputs: [MutableTensor]) throws(Misfit) {
        try run(kernel, inputs: inputs, outputs: outputs, threads: 1) { tiles, body in
            for tile in 0..<tiles { body(tile, 0) }
        }
    }

    /// Runs a kernel, its tiles shared out by `share` among `threads` threads.
    package func run(
        _ kernel: any Kernel, inputs: [Tensor?], outputs: [MutableTensor], threads: Int,
        on share: (Int, (_ tile: Int, _ thread: Int) -> Void) -> Void
    ) throws(Misfit) {
        let aligned = inputs.map { $0?.aligned() }
        let sources: [UnsafeRawPointer?] = aligned.map { $0?.base }
        let targets: [UnsafeMutableRawPointer?] = outputs.map(\.storage.base)
        let bytes = (kernel.scratchByteCount + 63) / 64 * 64
        let scratch = Storage(uninitialised: bytes * threads)
        // Safe: the storages behind the addresses are held by `aligned`, `outputs` and `scratch` until the end.
        let failure = sources.withUnsafeBufferPointer { sources in
            targets.withUnsafeBufferPointer { targets -> Misfit? in
                nonisolated(unsafe) let tables = (sources, targets)
                let first = Frame(inputs: sources, outputs: targets, scratch: scratch.base)
                do throws(Misfit) { try kernel.check(first) } catch { return error }
                share(kernel.tileCount) { tile, thread in
                    let frame = Frame(
                        inputs: tables.0, outputs: tables.1, scratch: scratch.base + thread * bytes)
                    kernel.run(tile: tile, in: frame)
                }
                return nil
            }
        }
        withExtendedLifetime((aligned, scratch)) {}
        if let failure { throw failure }
    }
}
