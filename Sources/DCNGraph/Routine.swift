/// Work whose result types depend on data, or whose values are no tensors of numbers: called once, on the
/// calling thread, on values.
public protocol Routine: Sendable {
    /// The outputs, in order; nil only for an optional output that nobody wants.
    func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?]
    /// The same; what `inputs` alone holds may be changed where it lies.
    func run(taking inputs: inout [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?]
}

extension Routine {
    /// Changes nothing.
    public func run(taking inputs: inout [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        try run(inputs, in: scope)
    }
}

/// A routine made of a closure.
package struct ValueRoutine: Routine {
    private let body: @Sendable ([Datum?], any Scope) -> Result<[Datum?], Misfit>

    /// A routine that may throw.
    package init(_ body: @escaping @Sendable ([Datum?], any Scope) throws(Misfit) -> [Datum?]) {
        self.body = { (inputs, scope) in
            do throws(Misfit) { return .success(try body(inputs, scope)) } catch { return .failure(error) }
        }
    }

    package func run(_ inputs: [Datum?], in scope: any Scope) throws(Misfit) -> [Datum?] {
        try body(inputs, scope).get()
    }
}

/// What a running routine may ask of the session.
public protocol Scope {
    /// Runs body `index` of the node on values, its captured values included.
    func run(body index: Int, _ inputs: [Datum?]) throws(Misfit) -> [Datum]
    /// Throws when the run was cancelled or its time is over; long loops call it.
    func checkpoint() throws(Misfit)
    /// Uninitialised bytes for an output, within the session's budget.
    func allocate(_ type: TensorType) throws(Misfit) -> MutableTensor
    /// Throws when values of these types, or tables made for them, are larger than what may be allocated at all.
    func expectRoom(for types: [ValueType]) throws(Misfit)
    /// Runs a kernel's tiles on the session's threads.
    func run(_ kernel: any Kernel, inputs: [Tensor?], outputs: [MutableTensor]) throws(Misfit)
    /// The instruction set kernels are to use.
    var instructionSet: InstructionSet { get }
}

extension Scope {
    /// What is too large is left to `allocate` to refuse.
    public func expectRoom(for types: [ValueType]) throws(Misfit) {}
}

/// A tensor that its maker is still writing.
public struct MutableTensor {
    /// Its type, extents known.
    public let type: TensorType
    package let storage: Storage

    /// Uninitialised bytes for `type`; nil when its size is not known or overflows.
    package init?(uninitialised type: TensorType) {
        guard let count = type.byteCount else { return nil }
        self.type = type
        storage = Storage(uninitialised: count)
    }

    /// Bytes that the caller alone may write; nil when they are not as many as `type` takes.
    package init?(_ type: TensorType, on storage: Storage) {
        guard type.byteCount == storage.byteCount else { return nil }
        self.type = type
        self.storage = storage
    }

    /// The elements, to be written.
    package func elements<T>(as type: T.Type) -> UnsafeMutableBufferPointer<T> {
        let count = storage.byteCount / MemoryLayout<T>.stride
        return UnsafeMutableBufferPointer(start: storage.base.assumingMemoryBound(to: type), count: count)
    }

    /// The tensor, written.
    package var finished: Tensor {
        // Safe: the storage was made for this very type.
        Tensor(type, storage: storage) ?? Tensor(vector: [UInt8]())
    }
}
