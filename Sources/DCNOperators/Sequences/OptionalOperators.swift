package import DCNGraph

/// An optional value: the input, or nothing of the given type.
package struct OptionalOf: Operator {
    package static let name = "Optional"
    /// What is inside; needed where there is no input.
    package var type: ValueType?

    package init(type: ValueType? = nil) { self.type = type }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        if let given = inputs.types.first ?? nil { return [.optional(given)] }
        guard let type else { throw .missing("attribute type") }
        return [.optional(type)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                if let given = values.first ?? nil { return [.optional(given, of: given.type)] }
                guard let type else { throw .missing("attribute type") }
                return [.optional(nil, of: type)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("Optional", type.map { [("type", .type($0))] } ?? [], since: 15)
    }
}

/// What an optional holds; any other value is given as it is.
package struct OptionalGetElement: Operator {
    package static let name = "OptionalGetElement"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let type = try inputs.requiredValue(0, "input")
        guard case .optional(let inner) = type else { return [type] }
        return [inner]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                guard case .optional(let inner, _) = values.first ?? nil else { return [values.first ?? nil] }
                guard let inner else {
                    throw .value(of: "input", because: "is an optional that holds nothing")
                }
                return [inner]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard case .optional = inputs.types.first ?? nil else {
            return WrittenNode("OptionalGetElement", since: 18)
        }
        return WrittenNode("OptionalGetElement", since: 15)
    }
}

/// Whether an optional holds something; no input counts as nothing, any other value as something.
package struct OptionalHasElement: Operator {
    package static let name = "OptionalHasElement"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        [.tensor(TensorType(.bool, []))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                switch values.first ?? nil {
                case nil, .optional(nil, _): [.tensor(Tensor(scalar: false))]
                default: [.tensor(Tensor(scalar: true))]
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        guard case .optional = inputs.types.first ?? nil else {
            return WrittenNode("OptionalHasElement", since: 18)
        }
        return WrittenNode("OptionalHasElement", since: 15)
    }
}
