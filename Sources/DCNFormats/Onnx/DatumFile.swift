internal import COnnxProto
package import DCNGraph

/// What a `.pb` file of test data holds. The message doesn't say which kind it is: the type it is read for does.
package func readDatum(
    contentsOf path: String, as type: ValueType, limits: ReadingLimits = .init(),
    mapping: FileMapping = .mapped
) throws(DCNError) -> Datum {
    try readDatum(MappedFile(path: path, mapping: mapping), named: path, beside: path, as: type, limits)
}

/// The same, from bytes that are in memory.
package func readDatum(
    bytes: [UInt8], named name: String, as type: ValueType, limits: ReadingLimits = .init()
) throws(DCNError) -> Datum {
    try readDatum(MappedFile(copying: bytes), named: name, beside: nil, as: type, limits)
}

private func readDatum(
    _ mapping: MappedFile, named name: String, beside path: String?, as type: ValueType,
    _ limits: ReadingLimits
) throws(DCNError) -> Datum {
    let external = ExternalData(beside: path, mapping: .mapped)
    var reader = DatumReader(tensors: TensorReader(mapping, external: external, limits: limits))
    let origin = Origin(file: name, path: "")
    switch type {
    case .tensor:
        let file = try OnnxFile<Onnx__TensorProto>(mapping, named: name, limits: limits)
        return try file.withRoot { (root) throws(DCNError) in
            try located(origin) { () throws(TensorFault) in .tensor(try reader.tensors.tensor(root)) }
        }
    case .sequence(let element):
        let file = try OnnxFile<Onnx__SequenceProto>(mapping, named: name, limits: limits)
        return try file.withRoot { (root) throws(DCNError) in
            try located(origin) { () throws(TensorFault) in try reader.sequence(root, of: element) }
        }
    case .optional(let element):
        let file = try OnnxFile<Onnx__OptionalProto>(mapping, named: name, limits: limits)
        return try file.withRoot { (root) throws(DCNError) in
            try located(origin) { () throws(TensorFault) in try reader.optional(root, of: element) }
        }
    }
}

private func located(_ origin: Origin, _ body: () throws(TensorFault) -> Datum) throws(DCNError) -> Datum {
    do { return try body() } catch { throw DCNError(error, at: origin) }
}

extension DCNError {
    /// Adds where to what a tensor or type is not.
    init(_ fault: TensorFault, at origin: Origin) {
        switch fault {
        case .model(let reason): self.init(.model, .read, reason, at: origin)
        case .unsupported(let what): self.init(.unsupported, .read, "\(what) is not supported", at: origin)
        }
    }
}

/// Turns messages of values into values.
private struct DatumReader {
    var tensors: TensorReader

    mutating func sequence(
        _ proto: UnsafePointer<Onnx__SequenceProto>, of element: ValueType
    ) throws(TensorFault) -> Datum {
        let message = proto.pointee
        guard message.n_map_values == 0 else { throw .unsupported("a map as a value") }
        var found: [Datum] = []
        for proto in messages(message.tensor_values, message.n_tensor_values) {
            found.append(.tensor(try tensors.tensor(proto)))
        }
        for proto in messages(message.sparse_tensor_values, message.n_sparse_tensor_values) {
            found.append(.tensor(try tensors.tensor(sparse: proto)))
        }
        for proto in messages(message.sequence_values, message.n_sequence_values) {
            found.append(try sequence(proto, of: try inner(element, "sequences") { $0.elementOfSequence }))
        }
        for proto in messages(message.optional_values, message.n_optional_values) {
            found.append(try optional(proto, of: try inner(element, "optionals") { $0.elementOfOptional }))
        }
        return .sequence(DatumList(found), of: element)
    }

    mutating func optional(
        _ proto: UnsafePointer<Onnx__OptionalProto>, of element: ValueType
    ) throws(TensorFault) -> Datum {
        let message = proto.pointee
        guard message.map_value == nil else { throw .unsupported("a map as a value") }
        if let proto = message.tensor_value {
            return .optional(.tensor(try tensors.tensor(proto)), of: element)
        }
        if let proto = message.sparse_tensor_value {
            return .optional(.tensor(try tensors.tensor(sparse: proto)), of: element)
        }
        if let proto = message.sequence_value {
            let type = try inner(element, "a sequence") { $0.elementOfSequence }
            return .optional(try sequence(proto, of: type), of: element)
        }
        if let proto = message.optional_value {
            let type = try inner(element, "an optional") { $0.elementOfOptional }
            return .optional(try optional(proto, of: type), of: element)
        }
        return .optional(nil, of: element)
    }

    private func inner(
        _ type: ValueType, _ found: String, _ element: (ValueType) -> ValueType?
    ) throws(TensorFault) -> ValueType {
        guard let inner = element(type) else { throw .model("holds \(found), expected \(type)") }
        return inner
    }
}

extension ValueType {
    fileprivate var elementOfSequence: ValueType? {
        if case .sequence(let element) = self { element } else { nil }
    }
    fileprivate var elementOfOptional: ValueType? {
        if case .optional(let element) = self { element } else { nil }
    }
}
