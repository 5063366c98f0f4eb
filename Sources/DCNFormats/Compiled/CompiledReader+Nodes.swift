internal import COnnxProto
internal import DCNGraph
internal import DCNOperators

/// An operator as a header holds it.
struct WrittenOperator: Hashable {
    let name: String
    let attributes: [UInt8]
}

extension CompiledReader {
    mutating func graph(_ proto: UnsafePointer<Dcn__Graph>, isOuter: Bool = false) throws(DCNError) -> Graph {
        let message = proto.pointee
        var graph = Graph(name: message.name.text, limits: limits)
        let values = messages(message.values, message.n_values)
        var ids: [ValueID?] = []
        for value in values { ids.append(try declare(value.pointee, in: &graph, isOuter: isOuter)) }
        for node in messages(message.nodes, message.n_nodes) {
            try append(node.pointee, values, &ids, to: &graph)
        }
        for output in messages(message.outputs, message.n_outputs) {
            let index = Int(output.pointee.value)
            guard output.pointee.has_value != 0, index < ids.count, let id = ids[index] else {
                throw error("output '\(escaped(output.pointee.name.text))' is written by no node")
            }
            guard graph[id].type.tensor?.layout != .channelsLast else {
                throw error("output '\(escaped(output.pointee.name.text))' lies channels last")
            }
            graph.addOutput(id, named: output.pointee.name.text)
        }
        if isOuter, let unknown = shapes.keys.sorted().first(where: { !graph.inputNames.contains($0) }) {
            throw DCNError(.input, .read, "the model has no input '\(escaped(unknown))'", at: origin)
        }
        return graph
    }

    /// An input or a constant; nil for what a node is to write.
    private func declare(_ value: Dcn__Value, in graph: inout Graph, isOuter: Bool) throws(DCNError)
        -> ValueID?
    {
        let name = value.name.text
        if let type = value.type {
            var type = try self.type(type)
            guard type.tensor?.layout != .channelsLast else {
                throw error("input '\(escaped(name))' lies channels last")
            }
            if isOuter, let shape = shapes[name] {
                type = try type.narrowed(to: shape, name: name, at: origin)
            }
            return graph.addInput(name, type)
        }
        guard value.has_constant != 0 else { return nil }
        guard Int(value.constant) < constants.count else {
            throw error("'\(escaped(name))' is constant \(value.constant) of \(constants.count)")
        }
        return graph.addConstant(name, constants[Int(value.constant)])
    }

    private mutating func append(
        _ node: Dcn__Node, _ values: [UnsafePointer<Dcn__Value>], _ ids: inout [ValueID?],
        to graph: inout Graph
    ) throws(DCNError) {
        let name = node.name.text
        let operatorName = node.operator_name.text
        let origin = Origin(
            file: named, path: node.path.text, node: node.has_node != 0 ? node.node.text : name,
            written: node.has_written != 0 ? node.written.text : operatorName)
        var inputs: [ValueID?] = []
        for number in DCNFormats.values(node.inputs, node.n_inputs) {
            guard number == 0 || (Int(number) <= ids.count && ids[Int(number) - 1] != nil) else {
                throw DCNError(
                    .model, .read, "reads value \(number), which is not written before it", at: origin)
            }
            inputs.append(number == 0 ? nil : ids[Int(number) - 1])
        }
        let outputs = DCNFormats.values(node.outputs, node.n_outputs).map { Int($0) }
        var names: [String?] = []
        for (index, number) in outputs.enumerated() {
            guard number <= ids.count,
                number == 0 || (ids[number - 1] == nil && !outputs[..<index].contains(number))
            else {
                throw DCNError(.model, .read, "writes value \(number), which is not its own", at: origin)
            }
            names.append(number == 0 ? nil : values[number - 1].pointee.name.text)
        }
        var bodies: [Graph] = []
        for body in messages(node.bodies, node.n_bodies) { bodies.append(try self.graph(body)) }
        let op = try operation(operatorName, node.attributes, at: origin)
        // Who changes the layout takes either.
        if !(op is Relayout) {
            let operands = graph.operands(of: inputs, bodies: bodies, outputCount: outputs.count)
            do throws(Misfit) { try op.layoutRule(for: operands).expect(operands.types) } catch {
                throw DCNError(error, .read, at: origin)
            }
        }
        let results = try graph.appendNode(
            op, inputs, bodies: bodies, named: name, outputs: names, origin: origin)
        for (number, id) in zip(outputs, results) where number > 0 { ids[number - 1] = id }
    }

    private mutating func operation(
        _ name: String, _ attributes: ProtobufCBinaryData, at origin: Origin
    ) throws(DCNError) -> any Operator {
        let written = WrittenOperator(name: name, attributes: Array(attributes.buffer))
        if let known = decoded[written] { return known }
        guard let type = operators[name] else {
            throw DCNError(.defect, .read, "operator \(escaped(name)) was known and is not", at: origin)
        }
        guard let value = AttributeBytes.decode(attributes.buffer) else {
            throw DCNError(.model, .read, "its attributes are no values", at: origin)
        }
        func decode<O: Operator>(_ type: O.Type) throws -> any Operator {
            try AttributeDecoder.decode(type, from: value)
        }
        do {
            let op = try decode(type)
            decoded[written] = op
            return op
        } catch {
            throw DCNError(
                .model, .read, "its attributes are not those of \(escaped(name)): \(value)", at: origin)
        }
    }
}
