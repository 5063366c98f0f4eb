internal import COnnxProto
package import DCNGraph

/// Writes a model as an ONNX file, whole or not at all.
///
/// With `externalData` the numbers of larger initialisers go to a file beside it, `NAME.CHECKSUM.data`: as no two files
/// of numbers share a name, a model that is there already keeps its own until the new one has taken its place.
/// Returns the bytes of both files together. Throws `.system` when there is no place for them, `.unsupported` when the
/// file would be larger than protobuf allows.
@discardableResult
package func writeOnnx(
    _ model: SourceModel, to path: String, externalData: Bool = false
) throws(DCNError) -> Int {
    var writer = OnnxWriter()
    var data: NewFile?
    var neighbours: DataFiles?
    if externalData {
        let files = try DataFiles(of: path, holding: OnnxWriter.external(of: model))
        data = try NewFile(replacing: files.path)
        writer.externalLocation = files.name
        neighbours = files
    }
    let message = writer.model(model)
    let byteCount = packedByteCount(message)
    guard byteCount < 1 << 31 else {
        throw DCNError(
            .unsupported, .write,
            "takes \(byteCount) bytes, the limit of the format is 2147483647: ask for external data",
            at: Origin(file: path, path: ""))
    }
    let file = try NewFile(replacing: path)
    try file.write(packed: message)
    for tensor in writer.external {
        try data?.write(UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount))
        try data?.fill(to: OnnxWriter.alignment)
    }
    try data?.finish()
    try file.finish()
    neighbours?.removeOthers()
    return file.byteCount + (data?.byteCount ?? 0)
}

/// The bytes of a model as an ONNX file.
package func onnxBytes(of model: SourceModel) -> [UInt8] {
    var writer = OnnxWriter()
    return packed(writer.model(model))
}

/// Makes the messages of one file.
struct OnnxWriter {
    /// External numbers begin at multiples of this.
    static let alignment = 64
    /// Smaller tensors stay in the file, where a reader of shapes finds them.
    private static let externalByteCount = 1024

    /// The tensors of a model that lie outside its file, if any may.
    static func external(of model: SourceModel) -> [Tensor] {
        var writer = OnnxWriter()
        writer.externalLocation = ""
        _ = writer.model(model)
        return writer.external
    }

    let arena = MessageArena()
    /// The name of the file beside, when numbers go there.
    var externalLocation: String?
    /// What goes there, in order.
    private(set) var external: [Tensor] = []
    private var externalOffset = 0

    mutating func model(_ model: SourceModel) -> UnsafeMutablePointer<Onnx__ModelProto> {
        let message = arena.make(onnx__model_proto__init)
        let graph = graph(model.graph)
        let imports = model.opsets.sorted { $0.key < $1.key }.map { domain, version in
            let set = arena.make(onnx__operator_set_id_proto__init)
            (set.pointee.has_domain, set.pointee.domain) = (1, arena.bytes(domain))
            (set.pointee.has_version, set.pointee.version) = (1, Int64(version))
            return set
        }
        let metadata = model.metadata.sorted { $0.key < $1.key }.map { pair($0.key, $0.value) }
        (message.pointee.has_ir_version, message.pointee.ir_version) = (1, Int64(model.irVersion))
        (message.pointee.has_producer_name, message.pointee.producer_name) = (1, arena.bytes(model.producer))
        message.pointee.graph = graph
        (message.pointee.n_opset_import, message.pointee.opset_import) = (
            imports.count, arena.messages(imports)
        )
        (message.pointee.n_metadata_props, message.pointee.metadata_props) = (
            metadata.count, arena.messages(metadata)
        )
        return message
    }

    private func pair(_ key: String, _ value: String) -> UnsafeMutablePointer<Onnx__StringStringEntryProto> {
        let pair = arena.make(onnx__string_string_entry_proto__init)
        (pair.pointee.has_key, pair.pointee.key) = (1, arena.bytes(key))
        (pair.pointee.has_value, pair.pointee.value) = (1, arena.bytes(value))
        return pair
    }

    private mutating func graph(_ graph: SourceGraph) -> UnsafeMutablePointer<Onnx__GraphProto> {
        let message = arena.make(onnx__graph_proto__init)
        let inputs = graph.inputs.map(value)
        let outputs = graph.outputs.map(value)
        let types = graph.valueTypes.map(value)
        var initialisers: [UnsafeMutablePointer<Onnx__TensorProto>] = []
        for (name, tensor) in graph.initialisers {
            initialisers.append(self.tensor(tensor, name, mayLieOutside: true))
        }
        var nodes: [UnsafeMutablePointer<Onnx__NodeProto>] = []
        for node in graph.nodes { nodes.append(self.node(node)) }
        // A graph without a name is refused by checkers.
        (message.pointee.has_name, message.pointee.name) = (
            1, arena.bytes(graph.name.isEmpty ? "graph" : graph.name)
        )
        (message.pointee.n_input, message.pointee.input) = (inputs.count, arena.messages(inputs))
        (message.pointee.n_output, message.pointee.output) = (outputs.count, arena.messages(outputs))
        (message.pointee.n_value_info, message.pointee.value_info) = (types.count, arena.messages(types))
        (message.pointee.n_initializer, message.pointee.initializer) = (
            initialisers.count, arena.messages(initialisers)
        )
        (message.pointee.n_node, message.pointee.node) = (nodes.count, arena.messages(nodes))
        return message
    }

    private mutating func node(_ node: SourceNode) -> UnsafeMutablePointer<Onnx__NodeProto> {
        let message = arena.make(onnx__node_proto__init)
        let inputs = node.inputs.map(arena.bytes(_:))
        let outputs = node.outputs.map(arena.bytes(_:))
        var attributes: [UnsafeMutablePointer<Onnx__AttributeProto>] = []
        for (name, value) in node.attributes.sorted(by: { $0.key < $1.key }) {
            attributes.append(attribute(name, value))
        }
        (message.pointee.n_input, message.pointee.input) = (inputs.count, arena.list(inputs))
        (message.pointee.n_output, message.pointee.output) = (outputs.count, arena.list(outputs))
        if !node.name.isEmpty {
            (message.pointee.has_name, message.pointee.name) = (1, arena.bytes(node.name))
        }
        (message.pointee.has_op_type, message.pointee.op_type) = (1, arena.bytes(node.opType))
        if !node.domain.isEmpty {
            (message.pointee.has_domain, message.pointee.domain) = (1, arena.bytes(node.domain))
        }
        (message.pointee.n_attribute, message.pointee.attribute) = (
            attributes.count, arena.messages(attributes)
        )
        return message
    }

    private mutating func attribute(
        _ name: String, _ value: SourceAttribute
    ) -> UnsafeMutablePointer<Onnx__AttributeProto> {
        let message = arena.make(onnx__attribute_proto__init)
        (message.pointee.has_name, message.pointee.name) = (1, arena.bytes(name))
        message.pointee.has_type = 1
        switch value {
        case .float(let value):
            (message.pointee.type, message.pointee.has_f, message.pointee.f) = (1, 1, value)
        case .int(let value):
            (message.pointee.type, message.pointee.has_i, message.pointee.i) = (2, 1, Int64(value))
        case .string(let value):
            (message.pointee.type, message.pointee.has_s, message.pointee.s) = (
                3, 1, arena.bytes(value.bytes)
            )
        case .tensor(let value): (message.pointee.type, message.pointee.t) = (4, tensor(value, ""))
        case .graph(let value): (message.pointee.type, message.pointee.g) = (5, graph(value))
        case .type(let value): (message.pointee.type, message.pointee.tp) = (13, type(value))
        default: list(value, in: message)
        }
        return message
    }

    private mutating func list(
        _ value: SourceAttribute, in message: UnsafeMutablePointer<Onnx__AttributeProto>
    ) {
        switch value {
        case .floats(let values):
            message.pointee.type = 6
            (message.pointee.n_floats, message.pointee.floats) = (values.count, arena.list(values))
        case .ints(let values):
            message.pointee.type = 7
            (message.pointee.n_ints, message.pointee.ints) = (
                values.count, arena.list(values.map { Int64($0) })
            )
        case .strings(let values):
            message.pointee.type = 8
            (message.pointee.n_strings, message.pointee.strings) = (
                values.count, arena.list(values.map { arena.bytes($0.bytes) })
            )
        case .tensors(let values):
            message.pointee.type = 9
            var tensors: [UnsafeMutablePointer<Onnx__TensorProto>] = []
            for value in values { tensors.append(tensor(value, "")) }
            (message.pointee.n_tensors, message.pointee.tensors) = (tensors.count, arena.messages(tensors))
        case .graphs(let values):
            message.pointee.type = 10
            var graphs: [UnsafeMutablePointer<Onnx__GraphProto>] = []
            for value in values { graphs.append(graph(value)) }
            (message.pointee.n_graphs, message.pointee.graphs) = (graphs.count, arena.messages(graphs))
        case .types(let values):
            message.pointee.type = 14
            let types = values.map { type($0) }
            (message.pointee.n_type_protos, message.pointee.type_protos) = (
                types.count, arena.messages(types)
            )
        default: break
        }
    }
}

extension OnnxWriter {
    private mutating func tensor(
        _ tensor: Tensor, _ name: String, mayLieOutside: Bool = false
    ) -> UnsafeMutablePointer<Onnx__TensorProto> {
        let message = arena.make(onnx__tensor_proto__init)
        if !name.isEmpty { (message.pointee.has_name, message.pointee.name) = (1, arena.bytes(name)) }
        let extents = tensor.extents.map { Int64($0) }
        (message.pointee.n_dims, message.pointee.dims) = (extents.count, arena.list(extents))
        (message.pointee.has_data_type, message.pointee.data_type) = (1, Int32(tensor.type.element.rawValue))
        if tensor.type.element == .string {
            let strings = tensor.byteStrings.map { arena.bytes($0.bytes) }
            (message.pointee.n_string_data, message.pointee.string_data) = (
                strings.count, arena.list(strings)
            )
        } else if mayLieOutside, let externalLocation, tensor.byteCount >= Self.externalByteCount {
            let packed = tensor.packedForFile
            let entries = [
                pair("location", externalLocation), pair("offset", "\(externalOffset)"),
                pair("length", "\(packed.byteCount)"),
            ]
            (message.pointee.n_external_data, message.pointee.external_data) = (
                entries.count, arena.messages(entries)
            )
            (message.pointee.has_data_location, message.pointee.data_location) = (1, 1)
            external.append(packed)
            externalOffset += (packed.byteCount + Self.alignment - 1) / Self.alignment * Self.alignment
        } else {
            (message.pointee.has_raw_data, message.pointee.raw_data) = (
                1, arena.bytes(of: tensor.packedForFile)
            )
        }
        return message
    }
}
