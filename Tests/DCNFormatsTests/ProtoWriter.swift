/// Protobuf written by hand, field by field.
struct Proto {
    var bytes: [UInt8] = []

    init(_ fields: Proto...) { bytes = fields.flatMap(\.bytes) }
    init(_ fields: [Proto]) { bytes = fields.flatMap(\.bytes) }
    init(raw bytes: [UInt8]) { self.bytes = bytes }

    static func varint(_ value: UInt64) -> [UInt8] {
        var (rest, bytes) = (value, [UInt8]())
        while rest >= 0x80 {
            bytes.append(UInt8(rest & 0x7f) | 0x80)
            rest >>= 7
        }
        return bytes + [UInt8(rest)]
    }

    static func key(_ field: Int, _ wireType: Int) -> [UInt8] { varint(UInt64(field << 3 | wireType)) }
    static func int(_ field: Int, _ value: Int) -> Proto {
        Proto(raw: key(field, 0) + varint(UInt64(bitPattern: Int64(value))))
    }
    static func float(_ field: Int, _ value: Float) -> Proto {
        Proto(raw: key(field, 5) + littleEndian(value.bitPattern))
    }
    static func double(_ field: Int, _ value: Double) -> Proto {
        Proto(raw: key(field, 1) + littleEndian(value.bitPattern))
    }
    static func bytes(_ field: Int, _ bytes: [UInt8]) -> Proto {
        Proto(raw: key(field, 2) + varint(UInt64(bytes.count)) + bytes)
    }
    static func text(_ field: Int, _ text: String) -> Proto { .bytes(field, Array(text.utf8)) }
    static func message(_ field: Int, _ fields: Proto...) -> Proto { .bytes(field, fields.flatMap(\.bytes)) }
    static func message(_ field: Int, _ fields: [Proto]) -> Proto { .bytes(field, fields.flatMap(\.bytes)) }
    static func packed(_ field: Int, _ values: [Int]) -> Proto {
        .bytes(field, values.flatMap { varint(UInt64(bitPattern: Int64($0))) })
    }
    static func packed(_ field: Int, _ values: [Float]) -> Proto {
        .bytes(field, values.flatMap { littleEndian($0.bitPattern) })
    }

    static func littleEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] {
        withUnsafeBytes(of: value.littleEndian) { Array($0) }
    }
}

/// The parts of a model, by the field numbers of the standard.
enum Onnx {
    static func model(
        _ graph: [Proto], functions: [Proto] = [], opsets: [(String, Int)] = [("", 19)], more: [Proto] = []
    ) -> [UInt8] {
        let imports = opsets.map { Proto.message(8, .text(1, $0.0), .int(2, $0.1)) }
        return Proto(
            [.int(1, 9)] + imports + functions.map { .bytes(25, $0.bytes) } + more + [.message(7, graph)]
        )
        .bytes
    }

    /// A node, as field `field` of what holds it.
    static func node(
        _ type: String, _ inputs: [String] = [], _ outputs: [String] = [], domain: String = "",
        name: String = "",
        _ attributes: [Proto] = [], field: Int = 1
    ) -> Proto {
        let named: [Proto] = name.isEmpty ? [] : [.text(3, name)]
        let homed: [Proto] = domain.isEmpty ? [] : [.text(7, domain)]
        return .message(
            field,
            inputs.map { .text(1, $0) } + outputs.map { .text(2, $0) } + named + [.text(4, type)]
                + attributes.map { .bytes(5, $0.bytes) } + homed)
    }

    /// A node of attributes alone.
    static func node(_ type: String, _ attributes: [Proto], field: Int = 1) -> Proto {
        node(type, [String](), [String](), attributes, field: field)
    }

    static func attribute(_ name: String, type: Int, _ value: Proto...) -> Proto {
        Proto([.text(1, name)] + value + [.int(20, type)])
    }

    /// A tensor message without its field key.
    static func tensor(_ name: String = "w", type: Int, _ dims: [Int], _ data: Proto...) -> Proto {
        Proto(dims.map { .int(1, $0) } + [.int(2, type), .text(8, name)] + data)
    }

    static func value(_ field: Int, _ name: String, type: Int = 1, _ dims: [Proto]) -> Proto {
        .message(
            field, .text(1, name),
            .message(2, .message(1, .int(1, type), .message(2, dims.map { .bytes(1, $0.bytes) }))))
    }
}
