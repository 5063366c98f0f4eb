internal import CKernels
internal import COnnxProto
package import DCNGraph
internal import DCNOperators

/// Reads a compiled graph. Numbers of constants are lent from the file, whose checksums are all compared.
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
        do throws(CompiledFault) {
            let sections = try CompiledSections.ranges(
                of: header.pointee, from: preamble.sectionStart, in: file.bytes)
            var reader = CompiledReader(
                header, named: name, file: file, sections: sections,
                operators: Catalogue.operators.merging(operators.map { ($0.name, $0) }) { first, _ in first },
                shapes: shapes, limits: limits.values)
            return try CompiledSections.comparing(sections, of: header.pointee, in: file.bytes) {
                Result { () throws(DCNError) in try reader.compiled() }
            }
        } catch { throw error.error(name) }
    }.get()
}

/// Makes the graph that a header describes.
struct CompiledReader {
    let header: UnsafePointer<Dcn__Header>
    let name: String
    let storage: Storage
    let sections: [Range<Int>]
    let operators: [String: any Operator.Type]
    let shapes: [String: Shape]
    let limits: ValueLimits
    private(set) var constants: [Datum] = []
    var origin: Origin { Origin(file: name, path: "") }
    /// The file as messages name it: this one, and the one it was made from.
    let named: String
    /// Operators decoded so far: layers of a network repeat each other.
    var decoded: [WrittenOperator: any Operator] = [:]

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

    func error(_ reason: String) -> DCNError { DCNError(.model, .read, reason, at: origin) }

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
