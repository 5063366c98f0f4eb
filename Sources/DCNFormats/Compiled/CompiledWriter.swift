internal import CKernels
internal import COnnxProto
package import DCNGraph

/// Writes a compiled graph, whole or not at all. Equal graphs give equal bytes.
///
/// Returns the file's size in bytes. Throws `.system` when there is no place for the file.
@discardableResult
package func writeCompiled(_ compiled: CompiledGraph, to path: String) throws(DCNError) -> Int {
    var writer = CompiledWriter()
    let header = packed(try writer.header(of: compiled))
    let preamble = CompiledPreamble(header: header, sectionByteCount: writer.sectionByteCount)
    let file = try NewFile(replacing: path)
    try file.write(preamble.bytes)
    try file.write(header)
    try file.fill(to: CompiledPreamble.byteCount)
    for tensor in writer.sections {
        try file.write(UnsafeRawBufferPointer(start: tensor.base, count: tensor.byteCount))
        try file.fill(to: CompiledPreamble.byteCount)
    }
    try file.finish()
    return file.byteCount
}

/// Makes the messages of one header, and gathers what goes into sections.
struct CompiledWriter {
    let arena = MessageArena()
    /// The tensors behind the header, in order.
    private(set) var sections: [Tensor] = []
    private var sectionMessages: [UnsafeMutablePointer<Dcn__Section>] = []
    private(set) var sectionByteCount = 0
    private var sectionOf: [Place: Int] = [:]
    private var constants: [UnsafeMutablePointer<Dcn__Constant>] = []

    /// Bytes in memory: constants that share them share their section.
    private struct Place: Hashable {
        let base: UnsafeRawPointer
        let byteCount: Int
    }

    mutating func header(of compiled: CompiledGraph) throws(DCNError) -> UnsafeMutablePointer<Dcn__Header> {
        let header = arena.make(dcn__header__init)
        let graph = try graph(compiled.graph)
        let metadata = compiled.metadata.sorted { $0.key < $1.key }.map { pair($0.key, $0.value) }
        let sets = compiled.opsets.sorted { $0.key < $1.key }.map { operatorSet($0.key, $0.value) }
        set(&header.pointee.producer, &header.pointee.has_producer, compiled.producer)
        set(&header.pointee.accuracy, &header.pointee.has_accuracy, compiled.accuracy.rawValue)
        set(&header.pointee.source, &header.pointee.has_source, compiled.source)
        set(&header.pointee.spellings, &header.pointee.has_spellings, compiled.spellings)
        (header.pointee.has_ir_version, header.pointee.ir_version) = (1, Int64(compiled.irVersion))
        (header.pointee.n_metadata, header.pointee.metadata) = (metadata.count, arena.messages(metadata))
        (header.pointee.n_operator_sets, header.pointee.operator_sets) = (sets.count, arena.messages(sets))
        header.pointee.graph = graph
        (header.pointee.n_constants, header.pointee.constants) = (constants.count, arena.messages(constants))
        (header.pointee.n_sections, header.pointee.sections) = (
            sectionMessages.count, arena.messages(sectionMessages)
        )
        return header
    }

    /// Sets a field of bytes, unless there are none.
    private func set(_ field: inout ProtobufCBinaryData, _ isThere: inout protobuf_c_boolean, _ text: String)
    {
        guard !text.isEmpty else { return }
        field = arena.bytes(text)
        isThere = 1
    }

    private func pair(_ key: String, _ value: String) -> UnsafeMutablePointer<Dcn__Pair> {
        let pair = arena.make(dcn__pair__init)
        set(&pair.pointee.key, &pair.pointee.has_key, key)
        set(&pair.pointee.value, &pair.pointee.has_value, value)
        return pair
    }

    private func operatorSet(_ domain: String, _ version: Int) -> UnsafeMutablePointer<Dcn__OperatorSet> {
        let message = arena.make(dcn__operator_set__init)
        set(&message.pointee.domain, &message.pointee.has_domain, domain)
        (message.pointee.has_version, message.pointee.version) = (1, Int64(version))
        return message
    }
}

extension CompiledWriter {
    private mutating func graph(_ graph: Graph) throws(DCNError) -> UnsafeMutablePointer<Dcn__Graph> {
        let message = arena.make(dcn__graph__init)
        var numbers: [ValueID: UInt32] = [:]
        var values: [UnsafeMutablePointer<Dcn__Value>] = []
        func number(_ id: ValueID, _ value: UnsafeMutablePointer<Dcn__Value>) {
            set(&value.pointee.name, &value.pointee.has_name, graph[id].name)
            numbers[id] = UInt32(values.count)
            values.append(value)
        }
        for id in graph.inputs {
            let value = arena.make(dcn__value__init)
            value.pointee.type = type(graph[id].type)
            number(id, value)
        }
        for (id, datum) in graph.readConstants {
            let value = arena.make(dcn__value__init)
            constants.append(constant(datum))
            (value.pointee.has_constant, value.pointee.constant) = (1, UInt32(constants.count - 1))
            number(id, value)
        }
        for node in graph.nodes {
            for output in graph[node].outputs {
                if let output { number(output, arena.make(dcn__value__init)) }
            }
        }
        var nodes: [UnsafeMutablePointer<Dcn__Node>] = []
        for id in graph.nodes { nodes.append(try node(graph[id], numbers)) }
        var outputs: [UnsafeMutablePointer<Dcn__Output>] = []
        for (id, name) in zip(graph.outputs, graph.outputNames) {
            let output = arena.make(dcn__output__init)
            set(&output.pointee.name, &output.pointee.has_name, name)
            (output.pointee.has_value, output.pointee.value) = (1, try Self.number(of: id, numbers, nil))
            outputs.append(output)
        }
        set(&message.pointee.name, &message.pointee.has_name, graph.name)
        (message.pointee.n_values, message.pointee.values) = (values.count, arena.messages(values))
        (message.pointee.n_nodes, message.pointee.nodes) = (nodes.count, arena.messages(nodes))
        (message.pointee.n_outputs, message.pointee.outputs) = (outputs.count, arena.messages(outputs))
        return message
    }

    private static func number(
        of id: ValueID?, _ numbers: [ValueID: UInt32], _ origin: Origin?
    ) throws(DCNError) -> UInt32 {
        guard let id, let number = numbers[id] else {
            throw DCNError(.defect, .write, "a value is read that nothing writes", at: origin)
        }
        return number
    }

    private mutating func node(
        _ node: Node, _ numbers: [ValueID: UInt32]
    ) throws(DCNError) -> UnsafeMutablePointer<Dcn__Node> {
        let message = arena.make(dcn__node__init)
        var inputs: [UInt32] = []
        for input in node.inputs {
            inputs.append(input == nil ? 0 : try Self.number(of: input, numbers, node.origin) + 1)
        }
        var outputs: [UInt32] = []
        for output in node.outputs {
            outputs.append(output == nil ? 0 : try Self.number(of: output, numbers, node.origin) + 1)
        }
        var bodies: [UnsafeMutablePointer<Dcn__Graph>] = []
        for body in node.bodies { bodies.append(try graph(body)) }
        set(&message.pointee.name, &message.pointee.has_name, node.name)
        set(&message.pointee.operator_name, &message.pointee.has_operator_name, node.op.name)
        message.pointee.attributes = arena.bytes(try Self.attributes(of: node))
        message.pointee.has_attributes = 1
        (message.pointee.n_inputs, message.pointee.inputs) = (inputs.count, arena.list(inputs))
        (message.pointee.n_outputs, message.pointee.outputs) = (outputs.count, arena.list(outputs))
        (message.pointee.n_bodies, message.pointee.bodies) = (bodies.count, arena.messages(bodies))
        if let origin = node.origin {
            set(&message.pointee.path, &message.pointee.has_path, origin.path)
            if origin.node != node.name { set(&message.pointee.node, &message.pointee.has_node, origin.node) }
            if origin.written != node.op.name {
                set(&message.pointee.written, &message.pointee.has_written, origin.written)
            }
        }
        return message
    }

    private static func attributes(of node: Node) throws(DCNError) -> [UInt8] {
        do { return AttributeBytes.encode(try AttributeEncoder.encode(node.op)) } catch {
            throw DCNError(.defect, .write, "attributes can't be written: \(error)", at: node.origin)
        }
    }
}

extension CompiledWriter {
    private mutating func constant(_ datum: Datum) -> UnsafeMutablePointer<Dcn__Constant> {
        let message = arena.make(dcn__constant__init)
        message.pointee.type = type(datum.type)
        var items: [UnsafeMutablePointer<Dcn__Constant>] = []
        switch datum {
        case .tensor(let tensor) where tensor.type.element == .string:
            let strings = tensor.byteStrings.map { arena.bytes($0.bytes) }
            (message.pointee.n_strings, message.pointee.strings) = (strings.count, arena.list(strings))
        case .tensor(let tensor) where tensor.byteCount > 0:
            (message.pointee.has_section, message.pointee.section) = (1, UInt32(section(tensor)))
        case .tensor: break
        case .sequence(let values, _): for value in values { items.append(constant(value)) }
        case .optional(let value, _): if let value { items.append(constant(value)) }
        }
        (message.pointee.n_items, message.pointee.items) = (items.count, arena.messages(items))
        return message
    }

    private mutating func section(_ tensor: Tensor) -> Int {
        let place = Place(base: tensor.base, byteCount: tensor.byteCount)
        if let known = sectionOf[place] { return known }
        let message = arena.make(dcn__section__init)
        (message.pointee.has_offset, message.pointee.offset) = (1, UInt64(sectionByteCount))
        (message.pointee.has_length, message.pointee.length) = (1, UInt64(tensor.byteCount))
        (message.pointee.has_checksum, message.pointee.checksum) = (
            1, dcn_checksum(tensor.base, tensor.byteCount)
        )
        sectionMessages.append(message)
        sections.append(tensor)
        sectionByteCount += CompiledPreamble.rounded(tensor.byteCount)
        sectionOf[place] = sections.count - 1
        return sections.count - 1
    }
}

extension Graph {
    /// Constants that somebody reads, in order of making.
    var readConstants: [(id: ValueID, datum: Datum)] {
        var read = Set(outputs)
        for node in nodes { read.formUnion(self[node].inputs.compactMap { $0 }) }
        let given = Set(inputs)
        return values.compactMap { id in
            guard read.contains(id), !given.contains(id), let datum = self[id].constant else { return nil }
            return (id, datum)
        }
    }
}
