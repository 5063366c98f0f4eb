internal import COnnxProto
internal import DCNGraph

/// Memory for messages that are to be packed; all of it is freed together.
final class MessageArena {
    private var blocks: [UnsafeMutableRawPointer] = []
    private var kept: [Storage] = []

    deinit { for block in blocks { block.deallocate() } }

    /// A message, made by the generated function that fills in its defaults.
    func make<M>(_ initialise: (UnsafeMutablePointer<M>?) -> Void) -> UnsafeMutablePointer<M> {
        let message = allocate(M.self, count: 1)
        initialise(message)
        return message
    }

    /// A list as repeated fields want it; nil where it is empty.
    func list<T: BitwiseCopyable>(_ items: [T]) -> UnsafeMutablePointer<T>? {
        guard !items.isEmpty else { return nil }
        let list = allocate(T.self, count: items.count)
        list.initialize(from: items, count: items.count)
        return list
    }

    /// Messages as repeated fields want them.
    func messages<M>(_ items: [UnsafeMutablePointer<M>]) -> UnsafeMutablePointer<UnsafeMutablePointer<M>?>? {
        list(items.map { Optional($0) })
    }

    /// Bytes of a text.
    func bytes(_ text: String) -> ProtobufCBinaryData { bytes(Array(text.utf8)) }

    /// Bytes, copied.
    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        ProtobufCBinaryData(len: bytes.count, data: list(bytes))
    }

    /// The bytes of a tensor where they lie, kept as long as this.
    func bytes(of tensor: Tensor) -> ProtobufCBinaryData {
        kept.append(tensor.storage)
        // Safe: packing only reads, and the storage is kept.
        let base = UnsafeMutableRawPointer(mutating: tensor.base).assumingMemoryBound(to: UInt8.self)
        return ProtobufCBinaryData(len: tensor.byteCount, data: base)
    }

    private func allocate<T>(_ type: T.Type, count: Int) -> UnsafeMutablePointer<T> {
        let block = UnsafeMutablePointer<T>.allocate(capacity: count)
        blocks.append(UnsafeMutableRawPointer(block))
        return block
    }
}

/// Takes what protobuf-c packs, piece by piece, into a file.
///
/// Safe: protobuf-c hands the address of `buffer` back to `append`, and `buffer` is the first member.
private struct FileSink {
    var buffer = ProtobufCBuffer()
    let file: Unmanaged<NewFile>
    var failure: DCNError?

    init(_ file: NewFile) {
        self.file = .passUnretained(file)
        buffer.append = { buffer, count, bytes in
            guard let buffer, let bytes else { return }
            UnsafeMutableRawPointer(buffer).withMemoryRebound(to: FileSink.self, capacity: 1) { sink in
                guard sink.pointee.failure == nil else { return }
                do throws(DCNError) {
                    try sink.pointee.file.takeUnretainedValue().write(
                        UnsafeRawBufferPointer(start: bytes, count: count))
                } catch { sink.pointee.failure = error }
            }
        }
    }
}

extension NewFile {
    /// Appends a packed message; large fields go straight from where they lie.
    func write<M>(packed message: UnsafeMutablePointer<M>) throws(DCNError) {
        var sink = FileSink(self)
        withUnsafeMutablePointer(to: &sink) { sink in
            let base = UnsafeMutableRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
            let buffer = UnsafeMutableRawPointer(sink).assumingMemoryBound(to: ProtobufCBuffer.self)
            _ = protobuf_c_message_pack_to_buffer(base, buffer)
        }
        if let failure = sink.failure { throw failure }
    }
}

/// A message as bytes.
func packed<M>(_ message: UnsafeMutablePointer<M>) -> [UInt8] {
    let base = UnsafeMutableRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
    let count = protobuf_c_message_get_packed_size(base)
    guard count > 0 else { return [] }
    return [UInt8](unsafeUninitializedCapacity: count) { buffer, initialised in
        initialised = protobuf_c_message_pack(base, buffer.baseAddress)
    }
}

/// How many bytes a message takes when packed.
func packedByteCount<M>(_ message: UnsafeMutablePointer<M>) -> Int {
    protobuf_c_message_get_packed_size(
        UnsafeMutableRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self))
}
