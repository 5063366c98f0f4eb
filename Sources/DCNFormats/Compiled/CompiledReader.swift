internal import CKernels
internal import COnnxProto
package import DCNGraph
internal import DCNOperators

/// Reads a compiled graph. Numbers of constants are lent from the file, whose checksums are all compared first.
///
/// What the header says meets the same checks as an ONNX file: nodes are appended to a graph, one by one. `operators`
/// are those that are not the catalogue's; `shapes` fixes extents of inputs, by name.
///
/// Throws `.system` when the file can't be had, `.model` when it is damaged or says what can't be, `.unsupported` when
/// it holds operators that nobody here knows.
package func readCompiled(
    contentsOf path: String, operators: [any Operator.Type] = [], shapes: [String: Shape] = [:],
    limits: ReadingLimits = .init(), mapping: FileMapping = .mapped
) throws(DCNError) -> CompiledGraph {
    let file = try MappedFile(path: path, mapping: mapping)
    return try readCompiled(file, named: path, operators: operators, shapes: shapes, limits)
}

/// Reads a compiled graph that is in memory.
package func readCompiled(
    bytes: [UInt8], named name: String, operators: [any Operator.Type] = [], limits: ReadingLimits = .init()
) throws(DCNError) -> CompiledGraph {
    try readCompiled(MappedFile(copying: bytes), named: name, operators: operators, shapes: [:], limits)
}

private func readCompiled(
    _ file: MappedFile, named name: String, operators: [any Operator.Type], shapes: [String: Shape],
    _ limits: ReadingLimits
) throws(DCNError) -> CompiledGraph {
    defer { withExtendedLifetime(file) {} }
    let preamble: CompiledPreamble
    do throws(CompiledFault) { preamble = try CompiledPreamble(file.bytes) } catch { throw error.error(name) }
    let header = try OnnxFile<Dcn__Header>(file, part: preamble.headerRange, named: name, limits: limits)
    return try header.withRoot { (header) throws(DCNError) in
        let sections: [Range<Int>]
        do throws(CompiledFault) {
            sections = try CompiledSections.ranges(
                of: header.pointee, from: preamble.sectionStart, in: file.bytes)
        } catch { throw error.error(name) }
        var reader = CompiledReader(
            header, named: name, file: file, sections: sections,
            operators: Catalogue.operators.merging(operators.map { ($0.name, $0) }) { first, _ in first },
            shapes: shapes, limits: limits.values)
        return try reader.compiled()
    }
}

/// Makes the graph that a header describes.
struct CompiledReader {
    private let header: UnsafePointer<Dcn__Header>
    let name: String
    private let storage: Storage
    private let sections: [Range<Int>]
    private let operators: [String: any Operator.Type]
    private let shapes: [String: Shape]
    private let limits: ValueLimits
    private var constants: [Datum] = []
    private var origin: Origin { Origin(file: name, path: "") }
    /// The file as messages name it: this one, and the one it was made from.
    private let named: String

    init(
        _ header: UnsafePointer<Dcn__Header>, named name: String, file: MappedFile, sections: [Range<Int>],
        operators: [String: any Operator.Type], shapes: [String: Shape], limits: ValueLimits
    ) {
        self.header = header
        self.name = name
        self.sections = sections
        self.operators = operators
        self.shapes = shapes
        self.limits = limits
        storage = file.storage
        let source = header.pointee.source.text
        named = source.isEmpty ? name : "\(name) (from \(source))"
    }

    mutating func compiled() throws(DCNError) -> CompiledGraph {
        let message = header.pointee
        guard let graph = message.graph else { throw error("has no graph") }
        guard let accuracy = Accuracy(rawValue: message.accuracy.text) else {
            throw error("has accuracy '\(escaped(message.accuracy.text))', which is not defined")
        }
        try refuseUnknown(graph)
        for (index, constant) in messages(message.constants, message.n_constants).enumerated() {
            constants.append(try datum(constant, "constants[\(index)]"))
        }
        var metadata: [String: String] = [:]
        for pair in messages(message.metadata, message.n_metadata) {
            metadata[pair.pointee.key.text] = pair.pointee.value.text
        }
        var opsets: [String: Int] = [:]
        for set in messages(message.operator_sets, message.n_operator_sets) {
            opsets[set.pointee.domain.text] = Int(set.pointee.version)
        }
        return CompiledGraph(
            graph: try self.graph(graph, isOuter: true), accuracy: accuracy, metadata: metadata,
            opsets: opsets,
            irVersion: Int(message.ir_version), source: message.source.text,
            spellings: message.spellings.text,
            producer: message.producer.text)
    }

    private func error(_ reason: String) -> DCNError { DCNError(.model, .read, reason, at: origin) }

    /// Throws one report of all operators that nobody here knows.
    private func refuseUnknown(_ graph: UnsafePointer<Dcn__Graph>) throws(DCNError) {
        var found: [String: [String]] = [:]
        var waiting = [graph]
        while let next = waiting.popLast() {
            for node in messages(next.pointee.nodes, next.pointee.n_nodes) {
                let name = node.pointee.operator_name.text
                if operators[name] == nil { found[name, default: []].append(node.pointee.name.text) }
                waiting += messages(node.pointee.bodies, node.pointee.n_bodies)
            }
        }
        guard !found.isEmpty else { return }
        let report = found.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { name, nodes in
            UnsupportedOperator(
                written: name, count: nodes.count, firstNodes: Array(nodes.prefix(3)),
                hint: "a program that knows it gives its type along with its dialect")
        }
        throw DCNError(.unsupported, .read, .unsupported(report), at: origin)
    }
}

extension CompiledReader {
    private func graph(_ proto: UnsafePointer<Dcn__Graph>, isOuter: Bool = false) throws(DCNError) -> Graph {
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

    private func append(
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

    private func operation(
        _ name: String, _ attributes: ProtobufCBinaryData, at origin: Origin
    ) throws(DCNError) -> any Operator {
        guard let type = operators[name] else {
            throw DCNError(.defect, .read, "operator \(escaped(name)) was known and is not", at: origin)
        }
        guard let value = AttributeBytes.decode(attributes.buffer) else {
            throw DCNError(.model, .read, "its attributes are no values", at: origin)
        }
        func decode<O: Operator>(_ type: O.Type) throws -> any Operator {
            try AttributeDecoder.decode(type, from: value)
        }
        do { return try decode(type) } catch {
            throw DCNError(
                .model, .read, "its attributes are not those of \(escaped(name)): \(value)", at: origin)
        }
    }
}

extension CompiledReader {
    private func datum(_ proto: UnsafePointer<Dcn__Constant>, _ place: String) throws(DCNError) -> Datum {
        let message = proto.pointee
        guard let stated = message.type else { throw error("\(place) has no type") }
        let items = messages(message.items, message.n_items)
        switch try type(stated) {
        case .tensor(let type): return .tensor(try tensor(type, message, place))
        case .sequence(let element):
            var values: [Datum] = []
            for item in items { values.append(try self.item(item, of: element, place)) }
            return .sequence(DatumList(values), of: element)
        case .optional(let element):
            guard items.count < 2 else {
                throw error("\(place) holds \(items.count) values, expected one at most")
            }
            return .optional(
                try items.first.map { (item) throws(DCNError) in try self.item(item, of: element, place) },
                of: element)
        }
    }

    private func item(
        _ proto: UnsafePointer<Dcn__Constant>, of type: ValueType, _ place: String
    ) throws(DCNError) -> Datum {
        let datum = try datum(proto, place)
        let fits: Bool =
            switch (datum.type, type) {
            case (.tensor(let got), .tensor(let wanted)): got.element == wanted.element
            case (let got, let wanted): got == wanted
            }
        guard fits else { throw error("\(place) holds \(datum.type), expected \(type)") }
        return datum
    }

    private func tensor(_ type: TensorType, _ message: Dcn__Constant, _ place: String) throws(DCNError)
        -> Tensor
    {
        guard let extents = type.extents, let count = type.byteCount, type.elementCount != nil else {
            throw error("\(place) is \(type): its size can't be counted")
        }
        if type.element == .string {
            let strings = values(message.strings, message.n_strings).map(\.byteString)
            guard let tensor = Tensor(extents: extents, strings: strings) else {
                throw error("\(place) has \(strings.count) strings, expected \(type)")
            }
            return tensor
        }
        guard message.has_section != 0 else {
            guard count == 0, let tensor = Tensor(type, storage: Storage(uninitialised: 0)) else {
                throw error("\(place) has no bytes, expected \(count)")
            }
            return tensor
        }
        guard Int(message.section) < sections.count, case let range = sections[Int(message.section)],
            range.count == count, let tensor = Tensor(type, storage: storage, byteOffset: range.lowerBound)
        else { throw error("\(place) is \(type), whose \(count) bytes its section does not hold") }
        if type.element == .bool, tensor.withBytes({ $0.contains { $0 > 1 } }) {
            throw error("\(place) holds a boolean that is neither 0 nor 1")
        }
        return tensor
    }

    private func type(_ proto: UnsafePointer<Dcn__Type>) throws(DCNError) -> ValueType {
        let message = proto.pointee
        switch message.form_case {
        case DCN__TYPE__FORM_TENSOR:
            if let tensor = message.tensor { return .tensor(try self.tensor(tensor.pointee)) }
        case DCN__TYPE__FORM_SEQUENCE:
            if let element = message.sequence { return .sequence(try type(element)) }
        case DCN__TYPE__FORM_OPTIONAL_OF:
            if let element = message.optional_of { return .optional(try type(element)) }
        default: break
        }
        throw error("has a type that says nothing")
    }

    private func tensor(_ message: Dcn__Type__Tensor) throws(DCNError) -> TensorType {
        guard let element = ElementType(rawValue: Int(message.element)) else {
            throw error("has element type \(message.element), which is not defined")
        }
        guard let layout = UInt8(exactly: message.layout).flatMap(Layout.init) else {
            throw error("has layout \(message.layout), which is not defined")
        }
        guard message.ranked != 0 else { return TensorType(element, nil, layout: layout) }
        var dimensions: [Dimension] = []
        for dimension in messages(message.dimensions, message.n_dimensions) {
            switch dimension.pointee.extent_case {
            case DCN__DIMENSION__EXTENT_FIXED:
                guard let extent = Int(exactly: dimension.pointee.fixed) else {
                    throw error("has extent \(dimension.pointee.fixed)")
                }
                dimensions.append(.fixed(extent))
            case DCN__DIMENSION__EXTENT_SYMBOL: dimensions.append(.symbol(dimension.pointee.symbol.text))
            default: dimensions.append(.unknown)
            }
        }
        return TensorType(element, Shape(dimensions), layout: layout)
    }
}

extension ValueType {
    /// The type with extents fixed that were open; an `input` error where they contradict what is stated.
    package func narrowed(to shape: Shape, name: String, at origin: Origin) throws(DCNError) -> ValueType {
        guard case .tensor(var type) = self else {
            throw DCNError(
                .input, .read, "input '\(escaped(name))' is \(self), which has no shape", at: origin)
        }
        let stated = type.shape ?? Shape(Array(repeating: .unknown, count: shape.rank))
        let agrees = zip(stated.dimensions, shape.dimensions).allSatisfy { old, new in
            old.fixed == nil || new.fixed == nil || old == new
        }
        guard stated.rank == shape.rank, agrees else {
            throw DCNError(
                .input, .read, "input '\(escaped(name))' is \(self), which can't be \(shape)", at: origin)
        }
        type.shape = Shape(
            zip(stated.dimensions, shape.dimensions).map { $1.fixed == nil && $0 != .unknown ? $0 : $1 })
        return .tensor(type)
    }
}
