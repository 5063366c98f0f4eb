package import DCNGraph

/// An operator that combines truth values.
package protocol LogicMap: Operator {
    /// The formula.
    static func combine(_ a: Bool, _ b: Bool) -> Bool
}

extension LogicMap {
    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A")
        let b = try inputs.required(1, "B")
        try a.expect([.bool])
        try b.expect([.bool])
        return [.tensor(try broadcastType(.bool, [a, b]))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let types = [try call.input(0), try call.input(1)]
        let output = try call.output(0)
        let walk = try Broadcast(types, output: output).walk(a: 0, b: 1)
        return .kernel(
            pairKernel(walk, sharedBytes(types, output)) { (a: UInt8, b: UInt8) in
                Self.combine(a != 0, b != 0) ? 1 : 0 as UInt8
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name)
    }
}

/// y = a and b.
package struct And: LogicMap {
    package static let name = "And"
    package init() {}
    package static func combine(_ a: Bool, _ b: Bool) -> Bool { a && b }
}

/// y = a or b.
package struct Or: LogicMap {
    package static let name = "Or"
    package init() {}
    package static func combine(_ a: Bool, _ b: Bool) -> Bool { a || b }
}

/// y = either a or b.
package struct Xor: LogicMap {
    package static let name = "Xor"
    package init() {}
    package static func combine(_ a: Bool, _ b: Bool) -> Bool { a != b }
}
