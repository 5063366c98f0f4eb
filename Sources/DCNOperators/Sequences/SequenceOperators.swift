package import DCNGraph

/// A sequence of its inputs.
package struct SequenceConstruct: Operator {
    package static let name = "SequenceConstruct"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var element = try inputs.requiredValue(0, "input 0")
        for index in 1..<max(1, inputs.count) {
            element = try element.unified(
                with: try inputs.requiredValue(index, "input \(index)"), name: "input \(index)")
        }
        return [.sequence(element)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                guard let first = values.first ?? nil else { throw .missing("input 0") }
                var element = first.type
                for value in values {
                    if let value { element = try element.unified(with: value.type, name: "inputs") }
                }
                return [.sequence(DatumList(values.compactMap { $0 }), of: element)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceConstruct", since: 11)
    }
}

/// A sequence without elements.
package struct SequenceEmpty: Operator {
    package static let name = "SequenceEmpty"
    /// The type of tensors it may take.
    package var element: ElementType

    package init(element: ElementType = .float32) { self.element = element }

    private var type: ValueType { .tensor(TensorType(element, nil)) }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] { [.sequence(type)] }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(ValueRoutine { (_, _) throws(Misfit) in [.sequence([], of: type)] })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceEmpty", [("dtype", .int(element.rawValue))], since: 11)
    }
}

/// The element at a position: inputs sequence, position (negative ones count from the end).
package struct SequenceAt: Operator {
    package static let name = "SequenceAt"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let element = try inputs.requiredSequence(0)
        try inputs.expectPosition(1, isRequired: true)
        return [element]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                let (elements, _) = try values.sequence(0)
                return [elements[try values.position(1, below: elements.count) ?? 0]]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceAt", since: 11)
    }
}

/// The sequence without the element at a position, the last one if none is given.
package struct SequenceErase: Operator {
    package static let name = "SequenceErase"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let element = try inputs.requiredSequence(0)
        try inputs.expectPosition(1, isRequired: false)
        return [.sequence(element)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            SequenceEdit { (elements, _, values) throws(Misfit) in
                let position = try values.position(1, below: elements.count) ?? elements.count - 1
                guard elements.indices.contains(position) else {
                    throw .value(of: "input_sequence", because: "is empty")
                }
                elements.remove(at: position)
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceErase", since: 11)
    }
}

/// The sequence with a tensor put before a position, at the end if none is given: inputs sequence, tensor, position.
package struct SequenceInsert: Operator {
    package static let name = "SequenceInsert"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let element = try inputs.requiredSequence(0)
        let added = try inputs.requiredValue(1, "tensor")
        try inputs.expectPosition(2, isRequired: false)
        return [.sequence(try element.unified(with: added, name: "tensor"))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            SequenceEdit { (elements, type, values) throws(Misfit) in
                guard values.count > 1, let added = values[1] else { throw .missing("tensor") }
                type = try type.unified(with: added.type, name: "tensor")
                let position =
                    try values.position(2, below: elements.count, includingEnd: true) ?? elements.count
                elements.insert(added, at: position)
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceInsert", since: 11)
    }
}

/// How many elements a sequence has, int64.
package struct SequenceLength: Operator {
    package static let name = "SequenceLength"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        _ = try inputs.requiredSequence(0)
        return [.tensor(TensorType(.int64, []))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, _) throws(Misfit) in
                [.tensor(Tensor(scalar: Int64(try values.sequence(0).0.count)))]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("SequenceLength", since: 11)
    }
}

extension Inputs {
    /// The element type of a sequence operand.
    func requiredSequence(_ index: Int) throws(Misfit) -> ValueType {
        let type = try requiredValue(index, "input_sequence")
        guard case .sequence(let element) = type else {
            throw .kind(of: "input_sequence", expected: "a sequence", got: "\(type)")
        }
        return element
    }

    /// Throws unless operand `index` is an integer scalar, or left out where it may be.
    func expectPosition(_ index: Int, isRequired: Bool) throws(Misfit) {
        guard let position = try optional(index, "position") else {
            if isRequired { throw .missing("position") }
            return
        }
        try position.expectIndices()
        try position.expectListOrScalar()
    }
}

extension [Datum?] {
    /// The elements of a sequence operand, and what they are.
    func sequence(_ index: Int) throws(Misfit) -> (DatumList, ValueType) {
        guard index < count, case .sequence(let elements, let type) = self[index] else {
            throw .missing("input_sequence")
        }
        return (elements, type)
    }

    /// A position operand counted from the front; nil when it is left out.
    func position(_ index: Int, below extent: Int, includingEnd: Bool = false) throws(Misfit) -> Int? {
        guard index < count, let tensor = self[index]?.tensor else { return nil }
        let limit = includingEnd ? extent : extent - 1
        guard let position = tensor.integers?.first, position >= -extent, position <= limit else {
            throw .value(of: "position", because: "is outside \(-extent) … \(limit)")
        }
        return position < 0 ? position + extent : position
    }
}
