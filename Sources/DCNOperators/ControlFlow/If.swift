package import DCNGraph

/// One of two bodies: inputs cond, then what the bodies capture. Body 0 runs where cond holds, else body 1.
package struct If: Operator {
    package static let name = "If"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let condition = try inputs.required(0, "cond")
        try condition.expect([.bool])
        if let count = condition.type.elementCount, count != 1 {
            throw .value(of: "cond", because: "has \(count) elements, expected 1")
        }
        let then = try inputs.body(0, "then_branch").outputValueTypes
        let other = try inputs.body(1, "else_branch").outputValueTypes
        guard then.count == other.count, then.count == inputs.outputCount else {
            throw .value(
                of: "then_branch",
                because:
                    "gives \(then.count) values, else_branch \(other.count), expected \(inputs.outputCount)")
        }
        var types: [ValueType] = []
        for (index, pair) in zip(then, other).enumerated() {
            types.append(try pair.0.unwrapping(pair.1, name: "output \(index) of else_branch"))
        }
        return types
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                let holds = try condition(values.first ?? nil, "cond")
                try scope.checkpoint()
                return try scope.run(body: holds ? 0 : 1, Array(values.dropFirst()))
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("If", order: [0], bodies: ["then_branch", "else_branch"], since: 11)
    }
}
