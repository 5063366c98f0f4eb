internal import COnnxProto
package import DCNGraph

/// Reads an ONNX file: its structure into plain values, functions inlined, tensors lent from the file.
///
/// Throws `.system` when the file can't be had, `.model` when it is no valid model, `.unsupported` when it uses
/// what the standard has and we don't.
package func readOnnx(
    contentsOf path: String, limits: ReadingLimits = .init(), mapping: FileMapping = .mapped
) throws(DCNError) -> SourceModel {
    let file = try MappedFile(path: path, mapping: mapping)
    return try readOnnx(file, named: path, external: ExternalData(beside: path, mapping: mapping), limits)
}

/// Reads an ONNX model that is in memory; it has no external data.
package func readOnnx(
    bytes: [UInt8], named name: String, limits: ReadingLimits = .init()
) throws(DCNError) -> SourceModel {
    let external = ExternalData(beside: nil, mapping: .copied)
    return try readOnnx(MappedFile(copying: bytes), named: name, external: external, limits)
}

private func readOnnx(
    _ mapping: MappedFile, named name: String, external: ExternalData, _ limits: ReadingLimits
) throws(DCNError) -> SourceModel {
    let file = try OnnxFile<Onnx__ModelProto>(mapping, named: name, limits: limits)
    return try file.withRoot { (model) throws(DCNError) in
        let tensors = TensorReader(mapping, external: external, limits: limits)
        var reader = try OnnxReader(model, named: name, tensors: tensors, limits: limits)
        return try reader.model()
    }
}

/// Turns the unpacked messages of one file into plain values.
struct OnnxReader {
    let file: String
    let limits: ReadingLimits
    let proto: UnsafePointer<Onnx__ModelProto>
    var names = NameTable()
    var tensors: TensorReader
    /// Tensors of functions, which are read once for each call.
    var tensorsOfFunctions: [UnsafeRawPointer: Tensor] = [:]
    private(set) var functions: [FunctionKey: UnsafePointer<Onnx__FunctionProto>] = [:]
    private let opsets: [String: Int]
    private var depth = 0
    private var nodeCount = 0
    private var byteCount = 0

    init(
        _ proto: UnsafePointer<Onnx__ModelProto>, named file: String, tensors: TensorReader,
        limits: ReadingLimits
    ) throws(DCNError) {
        self.proto = proto
        self.file = file
        self.tensors = tensors
        self.limits = limits
        let model = proto.pointee
        opsets = try Self.opsets(
            messages(model.opset_import, model.n_opset_import), at: Origin(file: file, path: "opset_import"))
        for (index, function) in messages(model.functions, model.n_functions).enumerated() {
            let key = FunctionKey(function.pointee)
            guard functions.updateValue(function, forKey: key) == nil else {
                throw error("function \(key) is there twice", at: origin("functions[\(index)]"))
            }
        }
    }

    /// The whole model.
    mutating func model() throws(DCNError) -> SourceModel {
        let model = proto.pointee
        guard let graph = model.graph else { throw error("has no graph", at: origin("")) }
        var metadata: [String: String] = [:]
        for entry in messages(model.metadata_props, model.n_metadata_props) {
            metadata[entry.pointee.key.text] = entry.pointee.value.text
        }
        let producer = [model.producer_name.text, model.producer_version.text].filter { !$0.isEmpty }
        return SourceModel(
            file: file, irVersion: Int(model.ir_version), opsets: opsets,
            producer: producer.joined(separator: " "), metadata: metadata,
            graph: try self.graph(graph, in: Scope(path: "graph")))
    }

    /// A graph and all that is in it.
    mutating func graph(
        _ proto: UnsafePointer<Onnx__GraphProto>, in scope: Scope
    ) throws(DCNError) -> SourceGraph {
        try descend(scope)
        defer { depth -= 1 }
        let message = proto.pointee
        var graph = SourceGraph(name: message.name.text)
        graph.inputs = try declared(message.input, message.n_input, "input", scope, isNeeded: true)
        graph.outputs = try declared(message.output, message.n_output, "output", scope, isNeeded: true)
        graph.valueTypes = try declared(message.value_info, message.n_value_info, "value_info", scope)
        graph.initialisers = try initialisers(message, scope)
        for (index, node) in messages(message.node, message.n_node).enumerated() {
            try append(node, to: &graph.nodes, in: scope.inner(".node[\(index)]"))
        }
        return graph
    }

    private mutating func initialisers(
        _ message: Onnx__GraphProto, _ scope: Scope
    ) throws(DCNError) -> [(name: String, tensor: Tensor)] {
        var found: [(name: String, tensor: Tensor)] = []
        for (index, proto) in messages(message.initializer, message.n_initializer).enumerated() {
            let name = self.name(proto.pointee.name, scope)
            let origin = self.origin("\(scope.path).initializer[\(index)]", node: name)
            found.append((name, try tensor(proto, scope, at: origin)))
        }
        for (index, proto) in messages(message.sparse_initializer, message.n_sparse_initializer).enumerated()
        {
            let name = proto.pointee.values.map { self.name($0.pointee.name, scope) } ?? ""
            let origin = self.origin("\(scope.path).sparse_initializer[\(index)]", node: name)
            found.append((name, try tensor(sparse: proto, scope, at: origin)))
        }
        return found
    }

    private mutating func declared(
        _ list: UnsafeMutablePointer<UnsafeMutablePointer<Onnx__ValueInfoProto>?>?, _ count: Int,
        _ field: String, _ scope: Scope, isNeeded: Bool = false
    ) throws(DCNError) -> [SourceValue] {
        var found: [SourceValue] = []
        for (index, proto) in messages(list, count).enumerated() {
            let name = self.name(proto.pointee.name, scope)
            do {
                let type: ValueType? = if let type = proto.pointee.type { try valueType(type) } else { nil }
                found.append(SourceValue(name: name, type: type))
            } catch {
                // What a file says of a value in between is a hint; what it says of its ends must be understood.
                guard isNeeded else { continue }
                throw DCNError(error, at: origin("\(scope.path).\(field)[\(index)]", node: name))
            }
        }
        return found
    }
}

extension OnnxReader {
    /// Appends a node, or the nodes of the function that it calls.
    mutating func append(
        _ proto: UnsafePointer<Onnx__NodeProto>, to nodes: inout [SourceNode], in scope: Scope
    ) throws(DCNError) {
        let message = proto.pointee
        let key = FunctionKey(message)
        let written = key.domain.isEmpty ? key.name : key.domain + "::" + key.name
        let origin = self.origin(scope.path, node: name(message.name, scope), written: written)
        try count(nodes: 1, bytes: key.byteCount + scope.path.utf8.count, at: origin)
        var node = SourceNode(domain: key.domain, opType: key.name, name: origin.node, origin: origin)
        for input in values(message.input, message.n_input) { node.inputs.append(name(input, scope)) }
        for output in values(message.output, message.n_output) { node.outputs.append(name(output, scope)) }
        for attribute in messages(message.attribute, message.n_attribute) {
            guard let value = try self.attribute(attribute, in: scope, at: origin) else { continue }
            let name = attribute.pointee.name.text
            guard node.attributes.updateValue(value, forKey: name) == nil else {
                throw error("attribute \(escaped(name)) is there twice", at: origin)
            }
        }
        if let function = functions[key] {
            try descend(scope)
            defer { depth -= 1 }
            try inline(function, calledBy: node, key, to: &nodes, in: scope)
        } else {
            node.version = try version(of: key.domain, scope, at: origin)
            nodes.append(node)
        }
    }

    /// A name as the scope has it: values inside a function are renamed.
    mutating func name(_ bytes: ProtobufCBinaryData, _ scope: Scope) -> String {
        let name = names.name(bytes.buffer)
        byteCount += name.utf8.count
        guard !name.isEmpty, let call = scope.call else { return name }
        if let known = call.names[name] { return known }
        let inner = names.name(name, within: call.label)
        call.names[name] = inner
        return inner
    }

    /// The version of a domain's operator set that holds here.
    func version(of domain: String, _ scope: Scope, at origin: Origin) throws(DCNError) -> Int {
        if let version = scope.call?.opsets[domain] ?? opsets[domain] { return version }
        // Hand-written files leave out custom domains, the oldest ones all.
        guard domain.isEmpty, proto.pointee.ir_version >= 3 else { return 1 }
        throw error("the model imports no version of the default operator set", at: origin)
    }

    /// Versions of operator sets are small numbers; what is above this is none.
    private static let newestVersion = 1 << 16

    /// The versions that a list of imports names; `ai.onnx` is another name of the default domain.
    static func opsets(
        _ imports: [UnsafePointer<Onnx__OperatorSetIdProto>], at origin: Origin
    ) throws(DCNError) -> [String: Int] {
        var opsets: [String: Int] = [:]
        for entry in imports {
            let domain = canonicalDomain(entry.pointee.domain)
            let version = Int(entry.pointee.version)
            // Writers of domains of their own leave the version out at times.
            guard ((domain.isEmpty ? 1 : 0)...Self.newestVersion).contains(version) else {
                throw DCNError(
                    .model, .read,
                    "domain '\(escaped(domain))' has version \(version), expected 1 … \(Self.newestVersion)",
                    at: origin)
            }
            guard opsets[domain] == nil || opsets[domain] == version else {
                throw DCNError(.model, .read, "two versions of domain '\(escaped(domain))'", at: origin)
            }
            opsets[domain] = version
        }
        return opsets
    }

    /// Counts what expanding functions multiplies: nodes, and the bytes of names and attributes.
    mutating func count(nodes: Int = 0, bytes: Int = 0, at origin: Origin) throws(DCNError) {
        nodeCount += nodes
        byteCount += bytes
        guard nodeCount <= limits.nodes else {
            throw error("there are more than \(limits.nodes) nodes", at: origin)
        }
        guard byteCount <= limits.unpackedByteCount else {
            throw error(
                "names, places and attributes take more than \(limits.unpackedByteCount) bytes", at: origin)
        }
    }

    private mutating func descend(_ scope: Scope) throws(DCNError) {
        guard depth < limits.depth else {
            throw error(
                "graphs and functions are nested deeper than \(limits.depth)", at: origin(scope.path))
        }
        depth += 1
    }

    /// A place in this file.
    func origin(_ path: String, node: String = "", written: String = "") -> Origin {
        Origin(file: file, path: path, node: node, written: written)
    }

    /// An error of reading.
    func error(_ message: String, at origin: Origin) -> DCNError {
        DCNError(.model, .read, message, at: origin)
    }

    /// A dense tensor; those of functions are read once.
    mutating func tensor(
        _ proto: UnsafePointer<Onnx__TensorProto>, _ scope: Scope, at origin: Origin
    ) throws(DCNError) -> Tensor {
        if scope.call != nil, let known = tensorsOfFunctions[proto] { return known }
        do {
            let tensor = try tensors.tensor(proto)
            if scope.call != nil { tensorsOfFunctions[proto] = tensor }
            return tensor
        } catch {
            throw DCNError(error, at: origin)
        }
    }

    /// A sparse tensor, its zeros written out.
    mutating func tensor(
        sparse proto: UnsafePointer<Onnx__SparseTensorProto>, _ scope: Scope, at origin: Origin
    ) throws(DCNError) -> Tensor {
        if scope.call != nil, let known = tensorsOfFunctions[proto] { return known }
        do {
            let tensor = try tensors.tensor(sparse: proto)
            if scope.call != nil { tensorsOfFunctions[proto] = tensor }
            return tensor
        } catch {
            throw DCNError(error, at: origin)
        }
    }
}

/// `ai.onnx` and the empty name are one domain.
func canonicalDomain(_ bytes: ProtobufCBinaryData) -> String {
    let domain = bytes.text
    return domain == "ai.onnx" ? "" : domain
}
