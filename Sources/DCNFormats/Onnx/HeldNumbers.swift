internal import DCNGraph

/// The numeric data of one tensor, still as it lies on the wire of the file.
///
/// `raw_data` is one run of bytes, the last given one counts. The typed fields repeat: packed and single numbers
/// follow each other in any mixture.
struct HeldNumbers {
    /// Field numbers of the standard.
    enum Field: UInt32, CaseIterable {
        case floats = 4
        case int32s = 5
        case int64s = 7
        case raw = 9
        case doubles = 10
        case uint64s = 11

        /// As the standard names it.
        var name: String {
            switch self {
            case .floats: "float_data"
            case .int32s: "int32_data"
            case .int64s: "int64_data"
            case .raw: "raw_data"
            case .doubles: "double_data"
            case .uint64s: "uint64_data"
            }
        }

        /// Bytes of one number, nil where they vary.
        var width: Int? {
            switch self {
            case .floats: 4
            case .doubles: 8
            default: nil
            }
        }
    }

    private let bytes: UnsafeRawBufferPointer
    private let messages: [Range<Int>]
    /// How many numbers each field holds; bytes for `raw`.
    private(set) var counts: [Field: Int] = [:]
    /// Where the bytes lie, when one run of the file holds them all.
    private(set) var runs: [Field: Range<Int>] = [:]

    /// Counts what the tensor's messages in the file hold.
    init(in bytes: UnsafeRawBufferPointer, messages: [Range<Int>]) throws(WireFault) {
        self.bytes = bytes
        self.messages = messages
        try forEach { field, wireField in
            let payload = wireField.payload
            if field == .raw {
                counts[.raw] = payload.count
                runs[.raw] = payload
                return
            }
            let count = wireField.wireType == 2 ? Self.packedCount(field, bytes[payload]) : 1
            guard count > 0 else { return }
            runs[field] = counts[field] == nil ? payload : nil
            counts[field, default: 0] += count
        }
    }

    private static func packedCount(_ field: Field, _ payload: UnsafeRawBufferPointer.SubSequence) -> Int {
        field.width.map { payload.count / $0 } ?? payload.reduce(0) { $0 + ($1 < 0x80 ? 1 : 0) }
    }

    /// Fields that hold anything.
    var filled: [Field] { Field.allCases.filter { (counts[$0] ?? 0) > 0 } }

    /// The numbers of a field of varints, in order; `body` says whether it takes the number.
    func forEachVarint(of wanted: Field, _ body: (UInt64) -> Bool) throws(WireFault) -> Bool {
        var isFine = true
        try forEach { (field, wireField) throws(WireFault) in
            guard field == wanted else { return }
            var cursor = WireCursor(bytes)
            (cursor.position, cursor.end) = (wireField.payload.lowerBound, wireField.payload.upperBound)
            while cursor.position < cursor.end { isFine = body(try cursor.varint()) && isFine }
        }
        return isFine
    }

    /// The bytes of a field of floats or doubles, run by run.
    func forEachRun(of wanted: Field, _ body: (UnsafeRawBufferPointer) -> Void) throws(WireFault) {
        try forEach { field, wireField in
            if field == wanted { body(UnsafeRawBufferPointer(rebasing: bytes[wireField.payload])) }
        }
    }

    private func forEach(_ body: (Field, WireField) throws(WireFault) -> Void) throws(WireFault) {
        for message in messages {
            guard message.upperBound <= bytes.count else { throw .truncated(at: message.lowerBound) }
            var cursor = WireCursor(bytes)
            (cursor.position, cursor.end) = (message.lowerBound, message.upperBound)
            while cursor.position < cursor.end {
                let wireField = try cursor.field()
                if let field = Field(rawValue: wireField.number) { try body(field, wireField) }
            }
        }
    }
}
