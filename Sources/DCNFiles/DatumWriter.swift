package import DCN
internal import DCNFormats

/// Writes a value as `TensorProto`, `SequenceProto` or `OptionalProto`, every type as it is.
package func writeDatum(_ path: String, _ datum: Datum, named name: String) throws(DCNError) {
    try writeFile(path, encoded(datum, named: name))
}

/// The bytes of a message that holds a value.
package func encoded(_ datum: Datum, named name: String = "") -> [UInt8] {
    switch datum {
    case .tensor(let tensor): message(tensor, named: name)
    case .sequence(let values, let element): message(values, of: element, named: name)
    case .optional(let value, let element): message(value, of: element, named: name)
    }
}

private func message(_ tensor: Tensor, named name: String) -> [UInt8] {
    let tensor = rowMajor(tensor)
    var wire = WireWriter()
    for extent in tensor.extents { wire.number(1, extent) }
    wire.number(2, tensor.type.element.rawValue)
    for string in tensor.byteStrings { wire.bytes(6, string.bytes) }
    if !name.isEmpty { wire.bytes(8, Array(name.utf8)) }
    if tensor.type.element != .string { tensor.packedForFile.withBytes { wire.bytes(9, $0) } }
    return wire.written
}

private func message(_ values: DatumList, of element: ValueType, named name: String) -> [UInt8] {
    var wire = WireWriter()
    if !name.isEmpty { wire.bytes(1, Array(name.utf8)) }
    wire.number(2, element.code)
    for value in values { wire.bytes(element.field, encoded(value)) }
    return wire.written
}

private func message(_ value: Datum?, of element: ValueType, named name: String) -> [UInt8] {
    message(value.map { [$0] } ?? [], of: element, named: name)
}

extension ValueType {
    /// The code of `SequenceProto.DataType` and `OptionalProto.DataType`.
    fileprivate var code: Int {
        switch self {
        case .tensor: 1
        case .sequence: 3
        case .optional: 5
        }
    }

    /// The field that holds such values, the same in both messages.
    fileprivate var field: Int { code + 2 }
}

/// The few forms of protobuf's wire format that values need.
private struct WireWriter {
    var written: [UInt8] = []

    mutating func number(_ field: Int, _ number: Int) {
        varint(field << 3)
        varint(number)
    }

    mutating func bytes(_ field: Int, _ bytes: some Collection<UInt8>) {
        varint(field << 3 | 2)
        varint(bytes.count)
        written += bytes
    }

    private mutating func varint(_ number: Int) {
        var rest = UInt64(bitPattern: Int64(number))
        while rest >= 128 {
            written.append(UInt8(truncatingIfNeeded: rest) | 128)
            rest >>= 7
        }
        written.append(UInt8(rest))
    }
}
