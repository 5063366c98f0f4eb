internal import DCNGraph

extension SourceGraph {
    /// Gives inputs the extents asked for. A symbol that gets a number gets it everywhere; what the file says of values
    /// in between is forgotten where it might no longer hold.
    ///
    /// Throws an `input` error when there is no such input, or its rank or a known extent differs.
    mutating func fix(_ shapes: [String: Shape], file: String) throws(DCNError) {
        guard !shapes.isEmpty else { return }
        var numbers: [String: Dimension] = [:]
        for (name, wanted) in shapes.sorted(by: { $0.key < $1.key }) {
            func misfit(_ reason: String) -> DCNError {
                DCNError(.input, .map, "input '\(escaped(name))' \(reason)", at: Origin(file: file, path: ""))
            }
            guard let index = inputs.firstIndex(where: { $0.name == name }) else {
                throw misfit("is not there, but a shape is given for it")
            }
            guard case .tensor(let type)? = inputs[index].type else {
                throw misfit("is no tensor, but a shape is given for it")
            }
            guard let shape = type.shape else {
                inputs[index].type = .tensor(TensorType(type.element, wanted))
                continue
            }
            guard shape.rank == wanted.rank else { throw misfit("is \(type), the shape given is \(wanted)") }
            for (old, new) in zip(shape.dimensions, wanted.dimensions) where old != new {
                switch old {
                case .fixed: throw misfit("is \(type), the shape given is \(wanted)")
                case .symbol(let symbol): numbers[symbol] = new
                case .unknown: break
                }
            }
            inputs[index].type = .tensor(TensorType(type.element, wanted))
        }
        for index in inputs.indices { inputs[index].type = inputs[index].type.map { $0.replacing(numbers) } }
        for index in outputs.indices {
            outputs[index].type = outputs[index].type.map { $0.replacing(numbers) }
        }
        valueTypes = valueTypes.map {
            SourceValue(name: $0.name, type: $0.type.map { $0.replacing(numbers) })
        }
    }
}

extension ValueType {
    /// The type with symbols replaced.
    fileprivate func replacing(_ numbers: [String: Dimension]) -> ValueType {
        switch self {
        case .tensor(let type):
            let shape = type.shape.map { shape in
                Shape(
                    shape.dimensions.map { dimension in
                        if case .symbol(let name) = dimension {
                            numbers[name] ?? dimension
                        } else {
                            dimension
                        }
                    })
            }
            return .tensor(TensorType(type.element, shape))
        case .sequence(let element): return .sequence(element.replacing(numbers))
        case .optional(let element): return .optional(element.replacing(numbers))
        }
    }
}
