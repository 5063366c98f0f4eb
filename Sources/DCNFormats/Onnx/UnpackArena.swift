internal import COnnxProto

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// The memory of one unpacked message: small blocks bump along chunks, large ones stand alone, all are freed
/// together. Above the budget there is no more memory, which ends an unpacking cleanly.
final class UnpackArena {
    private static let chunkByteCount = 256 << 10
    private static let alignment = 16

    private var budget: Int
    private var chunks: [UnsafeMutableRawPointer] = []
    private var free: UnsafeMutableRawBufferPointer
    private var large: [UnsafeMutableRawPointer: Int] = [:]

    /// An arena that gives at most `budget` bytes.
    init(budget: Int) {
        self.budget = budget
        free = UnsafeMutableRawBufferPointer(start: nil, count: 0)
    }

    deinit {
        for chunk in chunks { Self.system.free(chunk) }
        for block in large.keys { Self.system.free(block) }
    }

    /// `count` bytes aligned for any C type; nil when the budget or the system's memory is used up.
    func allocate(_ count: Int) -> UnsafeMutableRawPointer? {
        let size = max(Self.alignment, (count + Self.alignment - 1) & -Self.alignment)
        guard count >= 0, size <= budget else { return nil }
        if size > Self.chunkByteCount / 4 {
            guard let block = Self.system.allocate(size) else { return nil }
            large[block] = size
            budget -= size
            return block
        }
        if free.count < size {
            guard let chunk = Self.system.allocate(Self.chunkByteCount) else { return nil }
            chunks.append(chunk)
            free = UnsafeMutableRawBufferPointer(start: chunk, count: Self.chunkByteCount)
        }
        budget -= size
        let block = free.baseAddress
        free = UnsafeMutableRawBufferPointer(rebasing: free[size...])
        return block
    }

    /// Gives a large block back; small ones wait for the end of the arena.
    func release(_ block: UnsafeMutableRawPointer) {
        guard let size = large.removeValue(forKey: block) else { return }
        budget += size
        Self.system.free(block)
    }

    /// Lends this arena as protobuf-c's allocator.
    func withAllocator<R>(_ body: (UnsafeMutablePointer<ProtobufCAllocator>) -> R) -> R {
        var allocator = ProtobufCAllocator(
            alloc: { arena, count in
                // Safe: `allocator_data` is this arena, alive while `body` runs.
                arena.flatMap { Unmanaged<UnpackArena>.fromOpaque($0).takeUnretainedValue().allocate(count) }
            },
            free: { arena, block in
                guard let arena, let block else { return }
                Unmanaged<UnpackArena>.fromOpaque(arena).takeUnretainedValue().release(block)
            },
            allocator_data: Unmanaged.passUnretained(self).toOpaque())
        return withExtendedLifetime(self) { body(&allocator) }
    }

    private enum system {
        static func allocate(_ count: Int) -> UnsafeMutableRawPointer? { malloc(count) }
        static func free(_ block: UnsafeMutableRawPointer) {
            #if canImport(Glibc)
                Glibc.free(block)
            #else
                Darwin.free(block)
            #endif
        }
    }
}
