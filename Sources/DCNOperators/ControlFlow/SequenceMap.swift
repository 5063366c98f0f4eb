package import DCNGraph

/// Runs its body for each element of a sequence: inputs sequence, further sequences (read in step) or values (the same
/// every time), then what the body captures. Gives one sequence for each output of the body.
package struct SequenceMap: Operator {
    package static let name = "SequenceMap"
    /// How many operands are walked or repeated, the first sequence included.
    package var mappedCount: Int

    package init(mappedCount: Int) { self.mappedCount = mappedCount }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        _ = try inputs.requiredSequence(0)
        let body = try inputs.body(0, "body")
        try body.expectCounts(inputs: inputs.count, outputs: inputs.outputCount)
        return body.outputValueTypes.map { .sequence($0.withoutSymbols) }
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let body = call.bodies.first else { throw .missing("attribute body") }
        let types = body.outputValueTypes.map(\.withoutSymbols)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let count = try values.sequence(0).0.count
                var results = types.map { _ in [Datum]() }
                for place in 0..<count {
                    try scope.checkpoint()
                    var operands = values
                    for index in 0..<min(mappedCount, values.count) {
                        guard case .sequence(let elements, _) = values[index] else { continue }
                        guard elements.count == count else {
                            throw .value(
                                of: "additional_inputs", because: "hold \(elements.count), expected \(count)")
                        }
                        operands[index] = elements[place]
                    }
                    let given = try scope.run(body: 0, operands)
                    guard given.count == results.count else { throw .missing("values of the body") }
                    for index in given.indices { results[index].append(given[index]) }
                }
                return zip(results, types).map { .sequence(DatumList($0), of: $1) }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceMap", order: Array(0..<mappedCount), bodies: ["body"], since: 17)
    }
}
