internal import COnnxProto
internal import DCNGraph

/// Tensors of a file: numbers are lent from the mapped file where they lie there as a tensor wants them, and
/// decoded into memory of their own where not.
struct TensorReader {
    let mapping: MappedFile
    let storage: Storage
    let limits: ReadingLimits
    var external: ExternalData
    /// What sparse tensors have taken so far.
    var denseByteCount = 0
    /// What numbers have taken so far that had to be decoded.
    private var decodedByteCount = 0

    init(_ mapping: MappedFile, external: ExternalData, limits: ReadingLimits) {
        self.mapping = mapping
        self.limits = limits
        self.external = external
        storage = mapping.storage
    }

    /// The tensor that a message describes, in whichever form it is stored.
    mutating func tensor(_ proto: UnsafePointer<Onnx__TensorProto>) throws(TensorFault) -> Tensor {
        let message = proto.pointee
        let type = try Self.type(message)
        guard message.segment == nil else { throw .unsupported("a segment of a tensor") }
        if message.data_location == 1 { return try externalTensor(message, type) }
        guard message.data_location == 0 else { throw .model("data_location is \(message.data_location)") }
        if type.element == .string { return try Self.strings(message, type) }
        guard message.n_string_data == 0 else { throw .model("has string_data, but is \(type.element)") }
        return try numbers(message, type)
    }

    private static func type(_ message: Onnx__TensorProto) throws(TensorFault) -> TensorType {
        let element = try elementType(message.data_type)
        var extents: [Int] = []
        for extent in values(message.dims, message.n_dims) {
            guard extent >= 0, let extent = Int(exactly: extent) else { throw .model("has extent \(extent)") }
            extents.append(extent)
        }
        let type = TensorType(element, extents: extents)
        guard type.byteCount != nil, type.elementCount != nil else {
            throw .model("extents \(extents) hold more than can be counted")
        }
        return type
    }

    private static func strings(_ message: Onnx__TensorProto, _ type: TensorType) throws(TensorFault)
        -> Tensor
    {
        guard message.n_held == 0 else { throw .model("holds numbers, but is string") }
        let strings = values(message.string_data, message.n_string_data).map(\.byteString)
        guard let tensor = Tensor(extents: type.extents ?? [], strings: strings) else {
            throw .model("has \(strings.count) strings, expected \(type.elementCount ?? 0)")
        }
        return tensor
    }

    private mutating func externalTensor(
        _ message: Onnx__TensorProto, _ type: TensorType
    ) throws(TensorFault) -> Tensor {
        guard type.element != .string else { throw .model("strings can't be external") }
        guard message.n_held == 0 else { throw .model("has data here and in another file") }
        var entries: [String: String] = [:]
        for entry in messages(message.external_data, message.n_external_data) {
            entries[entry.pointee.key.text] = entry.pointee.value.text
        }
        let storage: Storage
        do {
            storage = try external.storage(at: entries["location"] ?? "")
        } catch {
            throw .model(error.description)
        }
        let count = type.fileByteCount ?? 0
        let offset = try Self.number(entries["offset"], "offset") ?? 0
        let length = try Self.number(entries["length"], "length") ?? count
        guard length == count else { throw .model("has \(length) bytes in another file, expected \(count)") }
        guard offset <= storage.byteCount, count <= storage.byteCount - offset else {
            throw .model(
                "has \(count) bytes at offset \(offset) of another file, which has \(storage.byteCount)")
        }
        if type.element.isSixBit { try reserve(type.byteCount ?? 0) }
        guard let tensor = Tensor(type, inFile: storage, at: offset) else {
            throw .model("data doesn't fit its extents")
        }
        return tensor.normalised()
    }

    private static func number(_ text: String?, _ name: String) throws(TensorFault) -> Int? {
        guard let text else { return nil }
        guard let number = Int(text), number >= 0, text.utf8.first != UInt8(ascii: "+") else {
            throw .model("external data has \(name) '\(escaped(text))'")
        }
        return number
    }

    private mutating func numbers(
        _ message: Onnx__TensorProto, _ type: TensorType
    ) throws(TensorFault) -> Tensor {
        let pairs = values(message.held, message.n_held)
        var ranges: [Range<Int>] = []
        for index in stride(from: 0, to: pairs.count - 1, by: 2) {
            ranges.append(Int(pairs[index])..<Int(pairs[index] + pairs[index + 1]))
        }
        do {
            let held = try HeldNumbers(in: mapping.bytes, messages: ranges)
            if held.filled != [.raw] || type.element.isSixBit, held.filled.count == 1 {
                try reserve(type.byteCount ?? 0)
            }
            return try Self.tensor(of: type, held, storage)
        } catch let fault as WireFault {
            throw .model("\(fault)")
        } catch let fault as TensorFault {
            throw fault
        } catch {
            throw .model("\(error)")
        }
    }

    private mutating func reserve(_ byteCount: Int) throws(TensorFault) {
        decodedByteCount += min(byteCount, limits.decodedByteCount + 1)
        guard decodedByteCount <= limits.decodedByteCount else {
            throw .model(
                "has numbers that take \(decodedByteCount) bytes with those before, "
                    + "the limit is \(limits.decodedByteCount)")
        }
    }

    private static func tensor(
        of type: TensorType, _ held: HeldNumbers, _ storage: Storage
    ) throws -> Tensor {
        let byteCount = type.fileByteCount ?? 0
        let filled = held.filled
        guard let field = filled.first else {
            guard byteCount == 0 else { throw TensorFault.model("has no data, expected \(byteCount) bytes") }
            return try made(Tensor(type, storage: Storage(uninitialised: 0)))
        }
        guard filled.count == 1 else {
            throw TensorFault.model("has data in " + filled.map(\.name).joined(separator: " and in "))
        }
        if field == .raw {
            let count = held.counts[.raw] ?? 0
            guard count == byteCount, let run = held.runs[.raw] else {
                throw TensorFault.model("has \(count) bytes of raw_data, expected \(byteCount)")
            }
            return try made(Tensor(type, inFile: storage, at: run.lowerBound)).normalised()
        }
        let form = TypedForm(type)
        guard field == form.field else {
            throw TensorFault.model(
                "is \(type.element), but has data in \(field.name), expected \(form.field.name)")
        }
        let count = held.counts[field] ?? 0
        guard count == form.count else {
            throw TensorFault.model("has \(count) numbers in \(field.name), expected \(form.count)")
        }
        return try made(form.tensor(type, held, storage)).normalised()
    }

    private static func made(_ tensor: Tensor?) throws -> Tensor {
        guard let tensor else { throw TensorFault.model("data doesn't fit its extents") }
        return tensor
    }
}

/// Why a message is no tensor of ours.
enum TensorFault: Error {
    case model(String)
    case unsupported(String)
}

/// The element type that a file's code stands for.
func elementType(_ code: Int32) throws(TensorFault) -> ElementType {
    if let element = ElementType(rawValue: Int(code)) { return element }
    throw .model(code == 0 ? "has no element type" : "has element type \(code), which is not defined")
}

extension Tensor {
    /// The tensor itself, or for booleans other than 0 and 1 a copy in which they are 1.
    fileprivate func normalised() -> Tensor {
        guard type.element == .bool else { return self }
        let bytes = withBytes { Array($0) }
        guard bytes.contains(where: { $0 > 1 }) else { return self }
        return Tensor(type, bytesOf: bytes.map { $0 == 0 ? UInt8(0) : 1 }) ?? self
    }
}

/// How the numbers of an element type are written where there is no `raw_data`.
private struct TypedForm {
    let field: HeldNumbers.Field
    /// Numbers in the field.
    let count: Int

    init(_ type: TensorType) {
        let elements = type.elementCount ?? 0
        switch type.element {
        case .float32: (field, count) = (.floats, elements)
        case .complex64: (field, count) = (.floats, elements * 2)
        case .float64: (field, count) = (.doubles, elements)
        case .complex128: (field, count) = (.doubles, elements * 2)
        case .int64: (field, count) = (.int64s, elements)
        case .uint32, .uint64: (field, count) = (.uint64s, elements)
        // Elements narrower than a byte: each number is a byte that holds several.
        case _ where type.element.isPacked: (field, count) = (.int32s, type.byteCount ?? 0)
        default: (field, count) = (.int32s, elements)
        }
    }

    /// The tensor of `count` numbers; lent from the file where they lie as one run.
    func tensor(_ type: TensorType, _ held: HeldNumbers, _ file: Storage) throws -> Tensor? {
        if field.width != nil, let run = held.runs[field] {
            return Tensor(type, storage: file, byteOffset: run.lowerBound)
        }
        let storage = Storage(uninitialised: type.byteCount ?? 0)
        if field.width != nil {
            var filled = 0
            try held.forEachRun(of: field) { run in
                // Safe: the runs were counted, and their sum is the tensor's size.
                if let source = run.baseAddress {
                    (storage.base + filled).copyMemory(from: source, byteCount: run.count)
                }
                filled += run.count
            }
        } else {
            try decode(
                held, width: type.element.byteWidth, isWide: field != .int32s, into: storage, type.element)
        }
        return Tensor(type, storage: storage)
    }

    private func decode(
        _ held: HeldNumbers, width: Int, isWide: Bool, into storage: Storage, _ element: ElementType
    ) throws {
        var index = 0
        let fits = try held.forEachVarint(of: field) { number in
            // Safe: the numbers were counted, and as many of `width` bytes are the tensor's size.
            withUnsafeBytes(of: number.littleEndian) { bytes in
                if let source = bytes.baseAddress {
                    (storage.base + index * width).copyMemory(from: source, byteCount: width)
                }
            }
            index += 1
            return Self.fits(number, width) && (!element.isSixBit || number < 64)
        }
        guard fits else {
            throw TensorFault.model("has a number in \(field.name) that doesn't fit \(element)")
        }
    }

    /// Whether a number, read with sign or without, is one of `width` bytes.
    private static func fits(_ number: UInt64, _ width: Int) -> Bool {
        guard width < 8 else { return true }
        let bits = width * 8
        let signed = Int64(bitPattern: number)
        return number >> UInt64(bits) == 0 || (signed < 0 && signed >= -(Int64(1) << Int64(bits - 1)))
    }
}
