internal import COnnxProto
internal import DCNGraph

extension OnnxReader {
    /// What an attribute holds; nil when it stands for an attribute of the calling node that is not given.
    mutating func attribute(
        _ proto: UnsafePointer<Onnx__AttributeProto>, in scope: Scope, at origin: Origin
    ) throws(DCNError) -> SourceAttribute? {
        let message = proto.pointee
        let reference = message.ref_attr_name.text
        guard reference.isEmpty else {
            guard let call = scope.call else {
                throw error(
                    "attribute \(shown(message)) refers to one of a function, outside any", at: origin)
            }
            let value = call.attributes[reference]
            try count(bytes: 64 + (value?.byteCount ?? 0), at: origin)
            return value
        }
        let value = try value(of: message, in: scope, at: origin)
        try count(bytes: 64 + message.name.len + value.byteCount, at: origin)
        return value
    }

    private mutating func value(
        of message: Onnx__AttributeProto, in scope: Scope, at origin: Origin
    ) throws(DCNError) -> SourceAttribute {
        guard let form = AttributeForm(message) else {
            throw error("attribute \(shown(message)) has type \(message.type) and no value of it", at: origin)
        }
        switch form {
        case .float: return .float(message.f)
        case .int: return .int(Int(message.i))
        case .string: return .string(message.s.byteString)
        case .floats: return .floats(values(message.floats, message.n_floats))
        case .ints: return .ints(values(message.ints, message.n_ints).map { Int($0) })
        case .strings: return .strings(values(message.strings, message.n_strings).map(\.byteString))
        case .tensor(let tensor): return .tensor(try self.tensor(tensor, scope, at: origin))
        case .sparse(let tensor): return .tensor(try self.tensor(sparse: tensor, scope, at: origin))
        case .graph(let graph): return .graph(try self.graph(graph, in: scope.inner("." + shown(message))))
        case .type(let type): return .type(try neededType(type, at: origin))
        case .tensors, .sparses, .graphs, .types: return try list(of: message, form, in: scope, at: origin)
        }
    }

    private mutating func list(
        of message: Onnx__AttributeProto, _ form: AttributeForm, in scope: Scope, at origin: Origin
    ) throws(DCNError) -> SourceAttribute {
        switch form {
        case .graphs:
            var graphs: [SourceGraph] = []
            for (index, proto) in messages(message.graphs, message.n_graphs).enumerated() {
                graphs.append(try graph(proto, in: scope.inner(".\(shown(message))[\(index)]")))
            }
            return .graphs(graphs)
        case .types:
            var types: [ValueType] = []
            for proto in messages(message.type_protos, message.n_type_protos) {
                types.append(try neededType(proto, at: origin))
            }
            return .types(types)
        default:
            var tensors: [Tensor] = []
            for proto in messages(message.tensors, message.n_tensors) {
                tensors.append(try tensor(proto, scope, at: origin))
            }
            for proto in messages(message.sparse_tensors, message.n_sparse_tensors) {
                tensors.append(try tensor(sparse: proto, scope, at: origin))
            }
            return .tensors(tensors)
        }
    }

    private func neededType(
        _ proto: UnsafePointer<Onnx__TypeProto>, at origin: Origin
    ) throws(DCNError) -> ValueType {
        do {
            if let type = try valueType(proto) { return type }
        } catch {
            throw DCNError(error, at: origin)
        }
        throw error("has a type that says nothing", at: origin)
    }

    private func shown(_ message: Onnx__AttributeProto) -> String { shortened(message.name.text) }
}

/// Which field of an attribute counts.
private enum AttributeForm {
    case float, int, string, floats, ints, strings, tensors, sparses, graphs, types
    case tensor(UnsafePointer<Onnx__TensorProto>)
    case sparse(UnsafePointer<Onnx__SparseTensorProto>)
    case graph(UnsafePointer<Onnx__GraphProto>)
    case type(UnsafePointer<Onnx__TypeProto>)

    /// By the stated type, where the first IR version states none by what is there; nil when that is nothing.
    init?(_ message: Onnx__AttributeProto) {
        guard message.type != 0 else {
            self.init(unstated: message)
            return
        }
        switch message.type {
        case 1: self = .float
        case 2: self = .int
        case 3: self = .string
        case 4: self.init(message.t.map { .tensor($0) })
        case 5: self.init(message.g.map { .graph($0) })
        case 6: self = .floats
        case 7: self = .ints
        case 8: self = .strings
        case 9: self = .tensors
        case 10: self = .graphs
        case 11: self.init(message.sparse_tensor.map { .sparse($0) })
        case 12: self = .sparses
        case 13: self.init(message.tp.map { .type($0) })
        case 14: self = .types
        default: return nil
        }
    }

    private init?(_ form: AttributeForm?) {
        guard let form else { return nil }
        self = form
    }

    private init?(unstated message: Onnx__AttributeProto) {
        if let tensor = message.t {
            self = .tensor(tensor)
        } else if let graph = message.g {
            self = .graph(graph)
        } else if let sparse = message.sparse_tensor {
            self = .sparse(sparse)
        } else if let type = message.tp {
            self = .type(type)
        } else if let form = Self.plain(message) {
            self = form
        } else {
            return nil
        }
    }

    private static func plain(_ message: Onnx__AttributeProto) -> AttributeForm? {
        let found: [(Bool, AttributeForm)] = [
            (message.has_f != 0, .float), (message.has_i != 0, .int), (message.has_s != 0, .string),
            (message.n_floats > 0, .floats), (message.n_ints > 0, .ints), (message.n_strings > 0, .strings),
            (message.n_tensors > 0, .tensors), (message.n_graphs > 0, .graphs),
            (message.n_sparse_tensors > 0, .sparses), (message.n_type_protos > 0, .types),
        ]
        return found.first { $0.0 }?.1
    }
}

extension SourceAttribute {
    /// What a copy of it takes, as far as it is not shared.
    fileprivate var byteCount: Int {
        switch self {
        case .string(let value): value.bytes.count
        case .ints(let values): values.count * 8
        case .floats(let values): values.count * 4
        case .strings(let values): values.reduce(0) { $0 + 32 + $1.bytes.count }
        default: 0
        }
    }
}
