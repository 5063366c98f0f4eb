internal import DCNGraph

extension Graph {
    /// The types of its outputs, as far as they are known.
    var outputValueTypes: [ValueType] { outputs.map { self[$0].type } }

    /// The types of its inputs, as declared.
    var inputValueTypes: [ValueType] { inputs.map { self[$0].type } }

    /// Throws unless it takes and gives so many values.
    func expectCounts(inputs wanted: Int, outputs given: Int) throws(Misfit) {
        guard inputs.count == wanted, outputs.count == given else {
            throw .value(
                of: "body",
                because:
                    "takes \(inputs.count) and gives \(outputs.count) values, expected \(wanted) and \(given)"
            )
        }
    }
}

extension Inputs {
    /// Body `index`, which must be there.
    func body(_ index: Int, _ name: String) throws(Misfit) -> Graph {
        guard index < bodies.count else { throw .missing("attribute \(name)") }
        return bodies[index]
    }
}

extension ValueType {
    /// The type with only those extents that are numbers: symbols of a body mean nothing outside it.
    var withoutSymbols: ValueType {
        switch self {
        case .tensor(let type):
            .tensor(
                TensorType(
                    type.element,
                    type.shape.map { Shape($0.dimensions.map { $0.fixed == nil ? .unknown : $0 }) }))
        case .sequence(let element): .sequence(element.withoutSymbols)
        case .optional(let element): .optional(element.withoutSymbols)
        }
    }

    /// What is known of a value of one of two types, one of which may be the other in an optional.
    func unwrapping(_ other: ValueType, name: String) throws(Misfit) -> ValueType {
        switch (self, other) {
        case (.optional, .optional): try unified(with: other, name: name)
        case (.optional(let inner), _): .optional(try inner.unified(with: other, name: name))
        case (_, .optional(let inner)): .optional(try unified(with: inner, name: name))
        default: try unified(with: other, name: name)
        }
    }

    /// The type of a tensor of such tensors along a new axis.
    func stacked(along axis: Int, count: Dimension, name: String) throws(Misfit) -> ValueType {
        guard case .tensor(let type) = self else {
            throw .kind(of: name, expected: "a tensor", got: "\(self)")
        }
        guard var shape = type.shape else { return .tensor(TensorType(type.element, nil)) }
        shape.dimensions.insert(
            count, at: try resolvedAxis(axis, rank: shape.rank + 1, name: "scan_output_axes"))
        return .tensor(TensorType(type.element, shape))
    }
}

/// Throws unless a node's graphs are there; marks their attributes as known.
func expectBodies(_ node: SourceNode, _ names: String...) throws(Misfit) {
    for name in names {
        guard case .graph = node.attribute(name) else { throw .missing("graph attribute \(name)") }
    }
}

/// The one flag of a condition.
func condition(_ value: Datum?, _ name: String) throws(Misfit) -> Bool {
    guard let tensor = value?.tensor, tensor.type.element == .bool, tensor.count == 1 else {
        throw .value(of: name, because: "is no single bool")
    }
    return tensor.elements(as: UInt8.self).first != 0
}
