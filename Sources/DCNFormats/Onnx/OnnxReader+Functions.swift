internal import COnnxProto
internal import DCNGraph

/// By what nodes call a function.
struct FunctionKey: Hashable, CustomStringConvertible {
    let domain: String
    let name: String
    let overload: String

    init(_ function: Onnx__FunctionProto) {
        domain = canonicalDomain(function.domain)
        name = function.name.text
        overload = function.overload.text
    }

    init(_ node: Onnx__NodeProto) {
        domain = canonicalDomain(node.domain)
        name = node.op_type.text
        overload = node.overload.text
    }

    var description: String {
        shortened((domain.isEmpty ? "" : domain + "::") + name + (overload.isEmpty ? "" : ":" + overload))
    }

    /// Bytes that a node of this key holds.
    var byteCount: Int { 2 * (domain.utf8.count + name.utf8.count) + overload.utf8.count }
}

/// The text as it stands in ways to nodes and in names of inner values: these are made once for each node, so that
/// a long text would be held as many times.
func shortened(_ text: String) -> String {
    let most = 64
    return escaped(text.utf8.count <= most ? text : String(text.unicodeScalars.prefix(most)) + "…")
}

/// Where in a file reading stands.
struct Scope {
    /// The way from the model, as `graph.node[3].body`.
    var path: String
    /// The call of the function that is being read, if one is.
    var call: FunctionCall?

    /// The same, one step further.
    func inner(_ step: String) -> Scope { Scope(path: path + step, call: call) }
}

/// One use of a function, while its nodes are read.
final class FunctionCall {
    let key: FunctionKey
    /// What the names of inner values begin with.
    let label: String
    let opsets: [String: Int]
    /// Values of the function's attributes: the caller's, else the defaults.
    let attributes: [String: SourceAttribute]
    /// Names of values by their names inside the function.
    var names: [String: String]
    /// The call of the function that this call stands in.
    let outer: FunctionCall?

    init(
        _ key: FunctionKey, label: String, opsets: [String: Int], attributes: [String: SourceAttribute],
        names: [String: String], outer: FunctionCall?
    ) {
        self.key = key
        self.label = label
        self.opsets = opsets
        self.attributes = attributes
        self.names = names
        self.outer = outer
    }

    /// Whether a function is being expanded here already.
    func contains(_ other: FunctionKey) -> Bool { key == other || outer?.contains(other) == true }
}

extension OnnxReader {
    /// Appends a function's nodes in place of the node that calls it.
    mutating func inline(
        _ function: UnsafePointer<Onnx__FunctionProto>, calledBy node: SourceNode, _ key: FunctionKey,
        to nodes: inout [SourceNode], in scope: Scope
    ) throws(DCNError) {
        guard scope.call?.contains(key) != true else {
            throw error("function \(key) calls itself", at: node.origin)
        }
        let message = function.pointee
        let inputs = formals(message.input, message.n_input)
        let outputs = formals(message.output, message.n_output)
        guard node.inputs.count <= inputs.count, node.outputs.count <= outputs.count else {
            throw error(
                "function \(key) has \(inputs.count) inputs and \(outputs.count) outputs, "
                    + "the call \(node.inputs.count) and \(node.outputs.count)", at: node.origin)
        }
        let call = FunctionCall(
            key, label: shortened(node.name.isEmpty ? key.name : node.name),
            opsets: try Self.opsets(messages(message.opset_import, message.n_opset_import), at: node.origin),
            attributes: try attributes(of: message, calledBy: node, in: scope), names: [:], outer: scope.call)
        for (index, formal) in inputs.enumerated() {
            call.names[formal] = index < node.inputs.count ? node.inputs[index] : ""
        }
        var passed: [(from: String, to: String)] = []
        for (formal, actual) in zip(outputs, node.outputs) where !actual.isEmpty {
            if let given = inputs.contains(formal) ? call.names[formal] : nil {
                passed.append((given, actual))
            } else {
                call.names[formal] = actual
            }
        }
        for (index, inner) in messages(message.node, message.n_node).enumerated() {
            let path = "\(scope.path) > \(key).node[\(index)]"
            try append(inner, to: &nodes, in: Scope(path: path, call: call))
        }
        for (from, to) in passed {
            let version = try version(of: "", scope, at: node.origin)
            nodes.append(
                SourceNode(
                    opType: "Identity", version: version, name: node.name, inputs: [from], outputs: [to],
                    origin: node.origin))
        }
    }

    private mutating func formals(_ list: UnsafeMutablePointer<ProtobufCBinaryData>?, _ count: Int)
        -> [String]
    {
        values(list, count).map { names.name($0.buffer) }
    }

    private mutating func attributes(
        of function: Onnx__FunctionProto, calledBy node: SourceNode, in scope: Scope
    ) throws(DCNError) -> [String: SourceAttribute] {
        var bound = node.attributes
        for proto in messages(function.attribute_proto, function.n_attribute_proto) {
            let name = proto.pointee.name.text
            if bound[name] == nil { bound[name] = try attribute(proto, in: scope, at: node.origin) }
        }
        return bound
    }
}
