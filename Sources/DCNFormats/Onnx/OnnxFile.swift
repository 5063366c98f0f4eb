internal import COnnxProto
internal import DCNGraph

/// An unpacked protobuf message of a file: its structure in memory of its own, the numbers of its tensors still in
/// the file.
///
/// What the message points to lives as long as this and is freed with it, once.
struct OnnxFile<Root: RootMessage>: ~Copyable {
    let mapping: MappedFile
    private let message: UnsafePointer<Root>
    private let arena: UnpackArena

    /// Walks and unpacks the whole file, or the part of it that is named; `.model` errors of the stage `unpack` when
    /// the bytes are no such message.
    init(
        _ mapping: MappedFile, part: Range<Int>? = nil, named file: String, limits: ReadingLimits
    ) throws(DCNError) {
        self.mapping = mapping
        do {
            let bytes = part.map { UnsafeRawBufferPointer(rebasing: mapping.bytes[$0]) } ?? mapping.bytes
            (message, arena) = try Self.unpack(bytes, limits)
        } catch {
            throw DCNError(.model, .unpack, "\(error)", at: Origin(file: file, path: ""))
        }
    }

    /// The message, valid until `body` returns.
    func withRoot<R, E: Error>(_ body: (UnsafePointer<Root>) throws(E) -> R) throws(E) -> R {
        // Safe: the arena that holds the message is ours and lives until the end of this call.
        let result = try body(message)
        withExtendedLifetime(arena) {}
        return result
    }

    private static func unpack(
        _ bytes: UnsafeRawBufferPointer, _ limits: ReadingLimits
    ) throws(WireFault) -> (UnsafePointer<Root>, UnpackArena) {
        guard let descriptor = Root.descriptor, let schema = Root.schema else { throw .refused }
        let skeleton = try WireWalk.skeleton(of: bytes, schema: schema, limits: limits)
        let arena = UnpackArena(budget: skeleton.budget)
        let message = arena.withAllocator { allocator in
            protobuf_c_message_unpack(descriptor, allocator, skeleton.bytes.count, skeleton.bytes)
        }
        // Safe: protobuf-c made the message by Root's own descriptor.
        guard let message else { throw .refused }
        return (UnsafeRawPointer(message).assumingMemoryBound(to: Root.self), arena)
    }
}
