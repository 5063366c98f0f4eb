internal import COnnxProto

/// One walk over a protobuf file before anything is unpacked.
///
/// It refuses what protobuf-c would crash on or drown in (deep nesting, lengths past the end, numbers that
/// don't end, too many nodes, too much memory), and writes the *skeleton*: the same message without the fields
/// that nobody reads and without the numbers of tensors. In their place each tensor says where in the file its
/// message lies (`TensorProto.held`), so that large tensors are never copied out of the mapped file.
///
/// The walk keeps its own stack: its depth costs no machine stack.
package struct WireWalk {
    /// What unpacking takes for one field while its message is being read, in bytes.
    private static let scannedFieldByteCount = 64
    /// Lengths of messages are known when they end, so they are written in as many bytes as any needs.
    private static let lengthByteCount = 5

    private struct OpenMessage {
        let kind: Int
        let range: Range<Int>
        /// Where in the skeleton its content begins.
        let content: Int
        var hasData = false
    }

    private let schema: WireSchema
    private let limits: ReadingLimits
    private var cursor: WireCursor
    private var open: [OpenMessage]
    private var skeleton: [UInt8] = []
    private var nodeCount = 0
    private var memory: Int
    /// Bytes of the file that the skeleton holds.
    private var structureByteCount = 0

    private init(_ bytes: UnsafeRawBufferPointer, _ schema: WireSchema, _ limits: ReadingLimits) {
        self.schema = schema
        self.limits = limits
        cursor = WireCursor(bytes)
        open = [OpenMessage(kind: 0, range: 0..<bytes.count, content: 0)]
        memory = schema.messages[0].byteCount
    }

    /// The skeleton of the ONNX model in `bytes`, and what unpacking it may take.
    package static func skeleton(
        ofModel bytes: UnsafeRawBufferPointer, limits: ReadingLimits = .init()
    ) throws(WireFault) -> (bytes: [UInt8], budget: Int) {
        guard let schema = Onnx__ModelProto.schema else { throw .refused }
        return try skeleton(of: bytes, schema: schema, limits: limits)
    }

    /// The skeleton of the message in `bytes`, and what unpacking it may take.
    static func skeleton(
        of bytes: UnsafeRawBufferPointer, schema: WireSchema, limits: ReadingLimits
    ) throws(WireFault) -> (bytes: [UInt8], budget: Int) {
        var walk = WireWalk(bytes, schema, limits)
        while let message = walk.open.last {
            if walk.cursor.position < message.range.upperBound {
                try walk.readField(of: schema.messages[message.kind])
            } else {
                walk.close(message)
            }
        }
        let limit = limits.unpackedByteCount(forStructure: walk.structureByteCount)
        guard walk.memory <= limit else { throw .memory(limit: limit) }
        return (walk.skeleton, limit)
    }

    private mutating func readField(of message: WireSchema.Message) throws(WireFault) {
        let field = try cursor.field()
        guard let known = message.field(field.number) else { return }
        if known.isData { open[open.count - 1].hasData = true }
        switch known.form {
        case .message(let kind):
            guard field.wireType == 2 else { throw mismatch(known, field) }
            try openMessage(kind, field)
        case .bytes:
            guard field.wireType == 2 else { throw mismatch(known, field) }
            if !known.isData {
                guard field.payload.count <= limits.textByteCount else {
                    throw .text(field.payload.count, limit: limits.textByteCount, at: field.start)
                }
                try copy(field, taking: 32 + field.payload.count)
            }
        case .number(let wireType):
            if field.wireType == 2 && known.repeats {
                let count = try packedCount(field, known, wireType)
                if !known.isData { try copy(field, taking: 8 * count) }
            } else {
                guard field.wireType == wireType else { throw mismatch(known, field) }
                if !known.isData { try copy(field, taking: 8) }
            }
        }
    }

    private func mismatch(_ known: WireSchema.Field, _ field: WireField) -> WireFault {
        .wireType(field: known.name, got: Int(field.wireType), at: field.start)
    }

    /// How many numbers a packed field holds.
    private func packedCount(
        _ field: WireField, _ known: WireSchema.Field, _ wireType: UInt8
    ) throws(WireFault) -> Int {
        let width = wireType == 5 ? 4 : 8
        guard wireType == 0 else {
            guard field.payload.count % width == 0 else { throw .packed(field: known.name, at: field.start) }
            return field.payload.count / width
        }
        var numbers = WireCursor(cursor.bytes)
        (numbers.position, numbers.end) = (field.payload.lowerBound, field.payload.upperBound)
        var count = 0
        while numbers.position < numbers.end {
            do { _ = try numbers.varint() } catch { throw .packed(field: known.name, at: field.start) }
            count += 1
        }
        return count
    }

    private mutating func take(_ byteCount: Int) throws(WireFault) {
        memory += byteCount + Self.scannedFieldByteCount
        guard memory <= limits.unpackedByteCount else { throw .memory(limit: limits.unpackedByteCount) }
    }

    private mutating func copy(_ field: WireField, taking byteCount: Int) throws(WireFault) {
        try take(byteCount)
        structureByteCount += cursor.position - field.start
        // Safe: the cursor made sure that the field lies within the bytes.
        skeleton.append(
            contentsOf: UnsafeRawBufferPointer(rebasing: cursor.bytes[field.start..<cursor.position]))
    }

    private mutating func openMessage(_ kind: Int, _ field: WireField) throws(WireFault) {
        guard open.count < limits.nesting else { throw .nesting(limit: limits.nesting, at: field.start) }
        let message = schema.messages[kind]
        if message.isNode {
            nodeCount += 1
            guard nodeCount <= limits.nodes else { throw .nodes(limit: limits.nodes) }
        }
        try take(message.byteCount + 32)
        structureByteCount += field.payload.lowerBound - field.start
        appendVarint(UInt64(field.number) << 3 | 2)
        skeleton.append(contentsOf: repeatElement(0, count: Self.lengthByteCount))
        open.append(OpenMessage(kind: kind, range: field.payload, content: skeleton.count))
        (cursor.position, cursor.end) = (field.payload.lowerBound, field.payload.upperBound)
    }

    private mutating func close(_ message: OpenMessage) {
        if message.hasData { appendHeld(message.range) }
        open.removeLast()
        guard let outer = open.last else { return }
        cursor.end = outer.range.upperBound
        var length = skeleton.count - message.content
        for index in 1...Self.lengthByteCount {
            let more: UInt8 = index < Self.lengthByteCount ? 0x80 : 0
            skeleton[message.content - Self.lengthByteCount + index - 1] = UInt8(length & 0x7f) | more
            length >>= 7
        }
    }

    private mutating func appendHeld(_ range: Range<Int>) {
        appendVarint(UInt64(WireSchema.heldField) << 3 | 2)
        skeleton.append(16)
        for number in [range.lowerBound, range.count] {
            withUnsafeBytes(of: UInt64(number).littleEndian) { skeleton.append(contentsOf: $0) }
        }
    }

    private mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            skeleton.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        skeleton.append(UInt8(rest))
    }
}
