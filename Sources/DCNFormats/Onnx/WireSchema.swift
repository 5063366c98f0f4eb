internal import COnnxProto

/// Which fields a message and those within it have, taken from what protoc-c made of our schema.
struct WireSchema: Sendable {
    /// What a field holds.
    enum Form: Sendable, Hashable {
        /// Numbers of this wire type; packed ones are read too where the field repeats.
        case number(wireType: UInt8)
        case bytes
        case message(Int)
    }

    struct Field: Sendable {
        let name: String
        let form: Form
        let repeats: Bool
        /// Numeric data of a tensor, which stays in the file.
        let isData: Bool
    }

    struct Message: Sendable {
        let isNode: Bool
        /// Bytes of the unpacked message, what it points to apart.
        let byteCount: Int
        /// By field number; nil is a field that we do not read.
        let fields: [Field?]

        func field(_ number: UInt32) -> Field? {
            number < UInt32(fields.count) ? fields[Int(number)] : nil
        }
    }

    /// The root is the first.
    private(set) var messages: [Message] = []

    /// The field that the walk writes itself; never accepted from a file.
    static let heldField: UInt32 = 1000

    init(_ root: UnsafePointer<ProtobufCMessageDescriptor>) {
        var found = [root]
        var next = 0
        while next < found.count {
            let message = found[next].pointee
            next += 1
            var fields: [Field?] = []
            // Safe: the descriptors are constants of the generated code, `n_fields` long.
            for field in UnsafeBufferPointer(start: message.fields, count: Int(message.n_fields)) {
                guard field.id != Self.heldField else { continue }
                while fields.count <= Int(field.id) { fields.append(nil) }
                fields[Int(field.id)] = Field(
                    name: Self.name(message) + "." + String(cString: field.name),
                    form: Self.form(of: field, in: &found),
                    repeats: field.label == PROTOBUF_C_LABEL_REPEATED,
                    isData: Self.name(message) == "TensorProto" && Self.dataFields.contains(field.id))
            }
            messages.append(
                Message(
                    isNode: ["NodeProto", "Node"].contains(Self.name(message)),
                    byteCount: message.sizeof_message,
                    fields: fields))
        }
    }

    /// `raw_data` and the typed fields of numbers.
    private static let dataFields: Set<UInt32> = [4, 5, 7, 9, 10, 11]

    private static func name(_ message: ProtobufCMessageDescriptor) -> String {
        String(cString: message.short_name)
    }

    private static func form(
        of field: ProtobufCFieldDescriptor, in found: inout [UnsafePointer<ProtobufCMessageDescriptor>]
    ) -> Form {
        switch field.type {
        case PROTOBUF_C_TYPE_MESSAGE:
            guard let descriptor = field.descriptor else { return .bytes }
            let inner = descriptor.assumingMemoryBound(to: ProtobufCMessageDescriptor.self)
            if let known = found.firstIndex(of: inner) { return .message(known) }
            found.append(inner)
            return .message(found.count - 1)
        case PROTOBUF_C_TYPE_BYTES, PROTOBUF_C_TYPE_STRING: return .bytes
        case PROTOBUF_C_TYPE_FLOAT, PROTOBUF_C_TYPE_FIXED32, PROTOBUF_C_TYPE_SFIXED32:
            return .number(wireType: 5)
        case PROTOBUF_C_TYPE_DOUBLE, PROTOBUF_C_TYPE_FIXED64, PROTOBUF_C_TYPE_SFIXED64:
            return .number(wireType: 1)
        default: return .number(wireType: 0)
        }
    }
}

/// A message of our schema that can be the whole of a file.
protocol RootMessage {
    /// Its descriptor, a constant of the generated code.
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? { get }
    static var schema: WireSchema? { get }
}

extension Onnx__ModelProto: RootMessage {
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
        var message = Onnx__ModelProto()
        onnx__model_proto__init(&message)
        return message.base.descriptor
    }
    static let schema = descriptor.map(WireSchema.init)
}

extension Dcn__Header: RootMessage {
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
        var message = Dcn__Header()
        dcn__header__init(&message)
        return message.base.descriptor
    }
    static let schema = descriptor.map(WireSchema.init)
}

extension Onnx__TensorProto: RootMessage {
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
        var message = Onnx__TensorProto()
        onnx__tensor_proto__init(&message)
        return message.base.descriptor
    }
    static let schema = descriptor.map(WireSchema.init)
}

extension Onnx__SequenceProto: RootMessage {
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
        var message = Onnx__SequenceProto()
        onnx__sequence_proto__init(&message)
        return message.base.descriptor
    }
    static let schema = descriptor.map(WireSchema.init)
}

extension Onnx__OptionalProto: RootMessage {
    static var descriptor: UnsafePointer<ProtobufCMessageDescriptor>? {
        var message = Onnx__OptionalProto()
        onnx__optional_proto__init(&message)
        return message.base.descriptor
    }
    static let schema = descriptor.map(WireSchema.init)
}
