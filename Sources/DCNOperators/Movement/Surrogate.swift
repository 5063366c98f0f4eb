internal import DCNGraph

/// Runs a movement on surrogates and puts the real elements back.
struct SurrogateRoutine: Routine {
    let op: any Operator
    let outputs: [ValueType?]

    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        var strings = StringTable()
        var surrogates: [Datum?] = []
        for input in inputs { surrogates.append(try input?.surrogate(&strings)) }
        let results = try perform(op, surrogates, outputCount: outputs.count, in: scope)
        var restored: [Datum?] = []
        for (index, result) in results.enumerated() {
            guard index < outputs.count, let type = outputs[index], let result else {
                restored.append(nil)
                continue
            }
            restored.append(try result.restored(as: type, strings))
        }
        return restored
    }
}

/// Strings by number; number 0 is the empty string, so that zero bytes stand for it.
struct StringTable {
    private(set) var strings = [ByteString([])]

    mutating func append(_ more: [ByteString]) -> [Int64] {
        let first = strings.count
        strings += more
        return more.indices.map { Int64(first + $0) }
    }

    subscript(number: Int64) -> ByteString {
        strings.indices.contains(Int(number)) ? strings[Int(number)] : ByteString([])
    }
}

extension Datum {
    /// The value with numbers for strings and bytes for elements narrower than a byte.
    fileprivate func surrogate(_ strings: inout StringTable) throws(Misfit) -> Datum {
        switch self {
        case .tensor(let tensor): return .tensor(try tensor.surrogate(&strings))
        case .optional, .sequence: return self
        }
    }

    fileprivate func restored(as type: ValueType, _ strings: StringTable) throws(Misfit) -> Datum {
        guard case .tensor(let tensor) = self, let element = type.tensor?.element else { return self }
        return .tensor(try tensor.restored(as: element, strings))
    }
}

extension Tensor {
    fileprivate func surrogate(_ strings: inout StringTable) throws(Misfit) -> Tensor {
        if type.element == .string { return try made(extents, strings.append(self.strings)) }
        guard type.element.isPacked else { return self }
        return try made(extents, unpackedBits())
    }

    fileprivate func restored(as element: ElementType, _ table: StringTable) throws(Misfit) -> Tensor {
        if element == .string {
            let texts = elements(as: Int64.self).map { table[$0] }
            guard let tensor = Tensor(extents: extents, strings: texts) else { throw .missing("strings") }
            return tensor
        }
        guard element.isPacked else { return self }
        let packed = packedBits(elements(as: UInt8.self), width: element.bitWidth)
        guard let tensor = Tensor(TensorType(element, extents: extents), bytesOf: packed) else {
            throw .missing("packed elements")
        }
        return tensor
    }

    /// The bits of each packed element in a byte of its own; the first element lies in the lowest bits.
    func unpackedBits() -> [UInt8] {
        let width = type.element.bitWidth
        let mask = UInt8((1 << width) - 1)
        let perByte = 8 / width
        return withBytes { bytes in
            (0..<count).map { bytes[$0 / perByte] >> UInt8($0 % perByte * width) & mask }
        }
    }

    private func made<T: Element>(_ extents: [Int], _ elements: [T]) throws(Misfit) -> Tensor {
        guard let tensor = Tensor(extents: extents, elements) else { throw .missing("elements") }
        return tensor
    }
}

/// Bytes that hold `8 / width` of the low bits of `values` each, the first in the lowest bits.
func packedBits(_ values: [UInt8], width: Int) -> [UInt8] {
    let perByte = 8 / width
    let mask = UInt8((1 << width) - 1)
    var packed = [UInt8](repeating: 0, count: (values.count + perByte - 1) / perByte)
    for (index, value) in values.enumerated() {
        packed[index / perByte] |= (value & mask) << UInt8(index % perByte * width)
    }
    return packed
}
