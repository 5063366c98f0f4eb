internal import DCNGraph

extension SourceNode {
    /// Whether this is ONNX's way to write a constant as a node.
    var isConstant: Bool { opType == "Constant" && (domain.isEmpty || domain == "ai.onnx") }
}

extension Mapper {
    /// Binds the output of a `Constant` node to its value.
    func bindConstant(_ node: SourceNode, _ names: Names, _ graph: inout Graph) throws(DCNError) {
        do throws(Misfit) {
            let tensor = try constant(of: node)
            guard let output = node.outputs.first, !output.isEmpty else { return }
            names.values[output] = graph.addConstant(output, .tensor(tensor))
        } catch { throw DCNError(error, .map, at: node.origin) }
    }

    private func constant(of node: SourceNode) throws(Misfit) -> Tensor {
        let written = node.attributes.keys.filter { $0 != "doc_string" }.sorted()
        guard written.count == 1, let name = written.first, let value = node.attribute(name) else {
            throw .attribute("value", because: "is written \(written.count) times, expected once")
        }
        switch (name, value) {
        case ("value", .tensor(let tensor)), ("sparse_value", .tensor(let tensor)): return tensor
        case ("value_float", .float(let value)): return Tensor(scalar: value)
        case ("value_int", .int(let value)): return Tensor(scalar: Int64(value))
        case ("value_floats", .floats(let values)): return Tensor(vector: values)
        case ("value_ints", .ints(let values)): return Tensor(vector: values.map { Int64($0) })
        case ("value_string", .string(let value)):
            if let tensor = Tensor(extents: [], strings: [value]) { return tensor }
        case ("value_strings", .strings(let values)):
            if let tensor = Tensor(extents: [values.count], strings: values) { return tensor }
        default: break
        }
        throw .attribute(name, because: "holds no constant")
    }
}
