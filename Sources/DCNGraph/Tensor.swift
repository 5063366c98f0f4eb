/// A tensor with its values: immutable, cheap to copy, shared between threads.
public struct Tensor: Sendable {
    /// Element type, extents (all known) and layout.
    public let type: TensorType
    package let storage: Storage
    package let byteOffset: Int
    package let strings: [ByteString]

    /// A view of bytes in a storage; nil when they do not fit or extents are not all known.
    package init?(_ type: TensorType, storage: Storage, byteOffset: Int = 0) {
        guard type.element != .string, let count = type.byteCount, byteOffset >= 0,
            count <= storage.byteCount - byteOffset
        else { return nil }
        self.type = type
        self.storage = storage
        self.byteOffset = byteOffset
        strings = []
    }

    /// A row-major tensor of strings; nil when the count does not fit the extents.
    public init?(extents: [Int], strings: [ByteString]) {
        guard elementCount(of: extents) == strings.count else { return nil }
        type = TensorType(.string, extents: extents)
        storage = Storage(uninitialised: 0)
        byteOffset = 0
        self.strings = strings
    }

    /// A row-major tensor of the given elements; nil when the count does not fit the extents.
    public init?<T: Element>(extents: [Int], _ elements: [T]) {
        self.init(TensorType(T.elementType, extents: extents), bytesOf: elements)
    }

    /// A tensor whose bytes are those of `elements` (for types that Swift lends as bits); nil when they do not fit.
    public init?<T: BitwiseCopyable>(_ type: TensorType, bytesOf elements: [T]) {
        let count = elements.count * MemoryLayout<T>.stride
        guard type.byteCount == count, type.element != .string else { return nil }
        let storage = Storage(uninitialised: count)
        elements.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { storage.base.copyMemory(from: source, byteCount: count) }
        }
        self.init(type, storage: storage)
    }

    /// A rank-0 tensor.
    public init<T: Element>(scalar: T) {
        type = TensorType(T.elementType, extents: [])
        storage = Storage(uninitialised: MemoryLayout<T>.stride)
        storage.base.storeBytes(of: scalar, as: T.self)
        byteOffset = 0
        strings = []
    }

    /// A tensor of rank 1.
    public init<T: Element>(vector elements: [T]) {
        let copy = Storage(uninitialised: elements.count * MemoryLayout<T>.stride)
        elements.withUnsafeBytes { bytes in
            if let source = bytes.baseAddress { copy.base.copyMemory(from: source, byteCount: bytes.count) }
        }
        type = TensorType(T.elementType, extents: [elements.count])
        storage = copy
        byteOffset = 0
        strings = []
    }
}

/// A string of ONNX: bytes that need not be UTF-8.
public struct ByteString: Sendable, Hashable {
    /// The bytes, without terminator.
    public var bytes: [UInt8]
    /// A string of bytes.
    public init(_ bytes: [UInt8]) { self.bytes = bytes }
    /// The UTF-8 bytes of a Swift string.
    public init(_ text: String) { bytes = Array(text.utf8) }
    /// The text, bytes that are not UTF-8 replaced.
    public var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension Tensor {
    /// Extents, slowest first, in ONNX's order.
    public var extents: [Int] { type.extents ?? [] }
    /// How many elements there are, padding apart.
    public var count: Int { type.elementCount ?? 0 }
    /// How many bytes there are, padding included.
    public var byteCount: Int { type.byteCount ?? 0 }
    /// Where the bytes begin.
    package var base: UnsafeRawPointer { UnsafeRawPointer(storage.base + byteOffset) }
    /// Whether typed access is allowed: values read straight from a file may lie anywhere.
    package var isAligned: Bool { Int(bitPattern: base) % type.element.alignment == 0 }

    /// The tensor itself, or a copy of it that lies aligned.
    package func aligned() -> Tensor {
        guard !isAligned else { return self }
        let copy = Storage(uninitialised: byteCount)
        copy.base.copyMemory(from: base, byteCount: byteCount)
        return Tensor(type, storage: copy) ?? self
    }

    /// Lends the bytes as they lie.
    public func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
        // Safe: `storage` lives until the end of this call, and the initialiser checked the extent.
        let result = try body(UnsafeRawBufferPointer(start: base, count: byteCount))
        withExtendedLifetime(storage) {}
        return result
    }

    /// The elements as they lie, copied; empty when `T` has another width than the element type.
    public func elements<T: BitwiseCopyable>(as type: T.Type) -> [T] {
        guard MemoryLayout<T>.stride == self.type.element.byteWidth else { return [] }
        return withBytes { bytes in
            let count = bytes.count / MemoryLayout<T>.stride
            // Without elements the initialiser would write into the empty array that all threads share.
            guard count > 0 else { return [] }
            return [T](unsafeUninitializedCapacity: count) { buffer, initialised in
                if let target = UnsafeMutableRawBufferPointer(buffer).baseAddress,
                    let source = bytes.baseAddress
                {
                    target.copyMemory(from: source, byteCount: count * MemoryLayout<T>.stride)
                }
                initialised = count
            }
        }
    }

    /// The same bytes seen with other extents of the same count; nil when the count differs or layout forbids it.
    public func reshaped(to extents: [Int]) -> Tensor? {
        guard type.layout == .rowMajor, elementCount(of: extents) == count else { return nil }
        if type.element == .string { return Tensor(extents: extents, strings: strings) }
        return Tensor(TensorType(type.element, extents: extents), storage: storage, byteOffset: byteOffset)
    }

    /// All elements as integers when the tensor is of an integer or bool type of whole bytes, else nil.
    public var integers: [Int]? {
        switch type.element {
        case .int64: elements(as: Int64.self).map { Int($0) }
        case .int32: elements(as: Int32.self).map { Int($0) }
        case .int16: elements(as: Int16.self).map { Int($0) }
        case .int8: elements(as: Int8.self).map { Int($0) }
        case .uint8: elements(as: UInt8.self).map { Int($0) }
        case .uint16: elements(as: UInt16.self).map { Int($0) }
        case .uint32: elements(as: UInt32.self).map { Int($0) }
        case .uint64: elements(as: UInt64.self).map { Int(clamping: $0) }
        case .bool: elements(as: UInt8.self).map { Int($0) }
        default: nil
        }
    }
}

extension Tensor {
    /// The strings of a string tensor, row-major; empty for every other type.
    public var byteStrings: [ByteString] { strings }
}
