package import DCNGraph

/// Scan as operator set 8 has it: axis 0 of every operand is the batch, axis 1 of scanned ones the sequence. Inputs
/// sequence_lens (optional), states, scanned, then what the body captures. Stacked slices after a sequence's end are 0.
package struct BatchedScan: Operator {
    package static let name = "BatchedScan"
    /// How many states there are.
    package var stateCount: Int
    /// How many inputs are scanned.
    package var scannedCount: Int
    /// Whether each scanned input is read backwards; empty for no.
    package var inputsReversed: [Bool]

    package init(stateCount: Int, scannedCount: Int, inputsReversed: [Bool] = []) {
        self.stateCount = stateCount
        self.scannedCount = scannedCount
        self.inputsReversed = inputsReversed
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let lengths = try inputs.optional(0, "sequence_lens", rank: 1)
        try lengths?.expect([.int64])
        let body = try inputs.body(0, "body")
        try body.expectCounts(inputs: inputs.count - 1, outputs: inputs.outputCount)
        guard scannedCount > 0, stateCount >= 0, stateCount <= inputs.outputCount,
            1 + stateCount + scannedCount <= inputs.count
        else {
            throw .attribute("num_scan_inputs", because: "is \(scannedCount), which the operands do not fit")
        }
        let scanned = try inputs.required(1 + stateCount, "scan input 0")
        var types: [ValueType] = []
        for (index, given) in body.outputValueTypes.enumerated() {
            var type = given.withoutSymbols
            if index >= stateCount {
                type = try type.stacked(along: 0, count: scanned.dimension(1), name: "scan output")
            }
            types.append(try type.stacked(along: 0, count: scanned.dimension(0), name: "output"))
        }
        return types
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let body = call.bodies.first else { throw .missing("attribute body") }
        let given = body.outputValueTypes.map(\.withoutSymbols)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let lengths = values[0]?.tensor?.integers
                var parts: [SliceSource] = []
                for value in values[1..<(1 + stateCount + scannedCount)] {
                    guard let tensor = value?.tensor else { throw .missing("an operand") }
                    parts.append(try SliceSource(tensor, axis: 0, in: scope))
                }
                var stacks = given.indices.map { Stack(name: "output \($0)") }
                for entry in 0..<(parts.last?.count ?? 0) {
                    let results = try run(
                        entry, parts, values, lengths, Array(given.dropFirst(stateCount)), in: scope)
                    for (index, result) in results.enumerated() {
                        guard let result else { throw .missing("output \(index)") }
                        try stacks[index].append(result, in: scope)
                    }
                }
                var outputs: [Datum?] = []
                for (index, stack) in stacks.enumerated() {
                    var empty = given[index]
                    if index >= stateCount {
                        empty = try empty.stacked(along: 0, count: 0, name: "scan output")
                    }
                    empty = try empty.stacked(along: 0, count: 0, name: "output")
                    outputs.append(try stack.joined(empty: empty, in: scope))
                }
                return outputs
            })
    }

    /// One batch entry: a scan over as many slices as its length says, padded to the whole length.
    private func run(
        _ entry: Int, _ parts: [SliceSource], _ values: [Datum?], _ lengths: [Int]?, _ types: [ValueType],
        in scope: any Scope
    ) throws(Misfit) -> [Datum?] {
        var operands: [Datum?] = []
        for part in parts {
            guard entry < part.count else {
                throw .value(of: "scan inputs", because: "have different batches")
            }
            operands.append(try part.slice(entry, in: scope))
        }
        let scan = Scan(stateCount: stateCount, scannedCount: scannedCount, inputsReversed: inputsReversed)
        var sources: [SliceSource] = []
        for operand in operands[stateCount...] {
            guard let tensor = operand?.tensor else { throw .missing("a scan input") }
            sources.append(try SliceSource(tensor, axis: 0, in: scope))
        }
        let whole = sources.first?.count ?? 0
        let length = lengths.map { entry < $0.count ? $0[entry] : -1 } ?? whole
        guard length >= 0, sources.allSatisfy({ $0.count >= length }) else {
            throw .value(of: "sequence_lens", because: "does not fit the scan inputs")
        }
        let captured = values[(1 + stateCount + scannedCount)...]
        var results = try scan.run(operands + captured, sources, length: length, types, in: scope)
        for index in stateCount..<results.count where length < whole {
            guard let tensor = results[index]?.tensor else { continue }
            let none = [Int](repeating: 0, count: tensor.extents.count)
            let pads = none + [whole - length] + none.dropFirst()
            results[index] = try performOne(Pad(), [.tensor(tensor), .tensor(vector(pads))], in: scope)
        }
        return results
    }
}
