package import DCNGraph

/// Runs its body while trips are left and the condition holds: inputs M (trips; none: no limit), cond (none: true),
/// carried values, then what the body captures. The body takes (trip, cond, carried…, captured…) and gives (cond,
/// carried…, scanned…); the node gives the last carried values, and the scanned ones of all trips stacked. Without
/// trips the carried values come out as they went in, and nothing is stacked.
package struct Loop: Operator {
    package static let name = "Loop"
    /// How many values are carried from trip to trip.
    package var carriedCount: Int

    package init(carriedCount: Int) { self.carriedCount = carriedCount }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let trips = try inputs.optional(0, "M")
        try trips?.expect([.int64])
        let condition = try inputs.optional(1, "cond")
        try condition?.expect([.bool])
        let body = try inputs.body(0, "body")
        try body.expectCounts(inputs: inputs.count, outputs: inputs.outputCount + 1)
        guard carriedCount >= 0, carriedCount <= inputs.outputCount, carriedCount + 2 <= inputs.count else {
            throw .value(of: "body", because: "gives fewer values than the \(carriedCount) carried")
        }
        var types: [ValueType] = []
        for (index, given) in body.outputValueTypes.dropFirst().enumerated() {
            if index < carriedCount {
                let initial = try inputs.requiredValue(index + 2, "carried value \(index)")
                types.append(try initial.unwrapping(given, name: "carried value \(index)"))
            } else {
                types.append(try given.withoutSymbols.stacked(along: 0, count: .unknown, name: "scan output"))
            }
        }
        return types
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        guard let body = call.bodies.first else { throw .missing("attribute body") }
        let declared = body.inputValueTypes
        let scanned = body.outputValueTypes.dropFirst(1 + carriedCount).map(\.withoutSymbols)
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                var carried = Array(values[2..<(2 + carriedCount)])
                let captured = values[(2 + carriedCount)...]
                var stacks = scanned.indices.map { Stack(name: "scan output \($0)") }
                var holds = try values[1].map { value throws(Misfit) in try condition(value, "cond") } ?? true
                let limit = try tripLimit(values[0])
                var trip = 0
                while holds, trip < limit {
                    try scope.checkpoint()
                    let first = counter(Tensor(scalar: Int64(trip)), declared[0])
                    let second = counter(Tensor(scalar: true), declared[1])
                    let given = try scope.run(body: 0, [first, second] + carried + captured)
                    guard given.count == 1 + carriedCount + stacks.count else {
                        throw .missing("values of the body")
                    }
                    holds = try condition(given[0], "the condition that the body gives")
                    carried = given[1...].prefix(carriedCount).map { $0 }
                    for index in stacks.indices {
                        try stacks[index].append(given[1 + carriedCount + index], in: scope)
                    }
                    trip += 1
                }
                for (stack, type) in zip(stacks, scanned) {
                    let empty = try type.stacked(along: 0, count: 0, name: "scan output")
                    carried.append(try stack.joined(empty: empty, in: scope))
                }
                return carried
            })
    }

    private func tripLimit(_ value: Datum?) throws(Misfit) -> Int {
        guard let value else { return Int.max }
        guard let trips = value.tensor?.integers, trips.count == 1 else {
            throw .value(of: "M", because: "is no single integer")
        }
        return trips[0]
    }

    /// A scalar as the body declares it: of rank 0, or of one element.
    private func counter(_ scalar: Tensor, _ declared: ValueType) -> Datum {
        guard declared.tensor?.shape?.rank == 1, let list = scalar.reshaped(to: [1]) else {
            return .tensor(scalar)
        }
        return .tensor(list)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Loop", order: Array(0..<(2 + carriedCount)), bodies: ["body"], since: 11)
    }
}
