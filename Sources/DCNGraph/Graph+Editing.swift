extension Graph {
    /// Declares an input.
    @discardableResult
    public mutating func addInput(_ name: String, _ type: ValueType) -> ValueID {
        let id = addValue(name, type)
        inputs.append(id)
        return id
    }

    /// A value known before any run.
    public mutating func addConstant(_ name: String, _ datum: Datum) -> ValueID {
        let id = addValue(name, datum.type)
        allValues[id.index].constant = datum
        return id
    }

    /// Declares an output.
    public mutating func addOutput(_ value: ValueID, named name: String? = nil) {
        outputPlaces[value, default: []].append(outputs.count)
        outputs.append(value)
        outputNames.append(name ?? self[value].name)
    }

    /// Adds a node, its output types inferred. `outputNames` names all outputs that somebody wants.
    ///
    /// Throws a `map` error with the node's origin when the operands do not fit.
    @discardableResult
    public mutating func append(
        _ op: any Operator, _ inputs: [ValueID?], bodies: [Graph] = [], named name: String = "",
        outputNames: [String?] = [nil], origin: Origin? = nil
    ) throws(DCNError) -> [ValueID] {
        let written = outputNames.map { $0 ?? name }
        return try appendNode(
            op, inputs, bodies: bodies, named: name, outputs: written.map { $0 as String? }, origin: origin
        ).compactMap { $0 }
    }

    /// Adds a node some of whose outputs (nil in `outputs`) nobody wants.
    @discardableResult
    public mutating func appendNode(
        _ op: any Operator, _ inputs: [ValueID?], bodies: [Graph] = [], named name: String,
        outputs: [String?], origin: Origin?
    ) throws(DCNError) -> [ValueID?] {
        let operands = operands(of: inputs, bodies: bodies, outputCount: outputs.count)
        let types: [ValueType]
        do throws(Misfit) {
            types = try op.boundedOutputTypes(for: operands, within: limits)
            guard types.count >= outputs.count else {
                throw Misfit.value(
                    of: "the node", because: "has \(outputs.count) outputs, expected at most \(types.count)")
            }
        } catch { throw DCNError(error, .map, at: origin) }
        let dimensions = op.dimensions(for: operands, fitting: types)
        let id = NodeID(allNodes.count)
        var results: [ValueID?] = []
        for (index, outputName) in outputs.enumerated() {
            guard let outputName else {
                results.append(nil)
                continue
            }
            let value = addValue(outputName, types[index])
            allValues[value.index].producer = id
            if index < dimensions.count { allValues[value.index].dimensions = dimensions[index] }
            results.append(value)
        }
        allNodes.append(
            Node(name: name, op: op, inputs: inputs, outputs: results, bodies: bodies, origin: origin))
        order.insert(id, before: insertionPoint.flatMap { contains($0) ? $0 : nil })
        for input in inputs { if let input { allValues[input.index].consumers.append(id) } }
        return results
    }

    /// Makes every reader of `old`, the graph's outputs included, read `new` instead.
    public mutating func replace(_ old: ValueID, with new: ValueID) {
        for reader in moveReaders(of: old, to: new) {
            for place in places(of: old, in: reader) { allNodes[reader.index]?.inputs[place] = new }
        }
    }

    /// Which operands of a node are `value`.
    private func places(of value: ValueID, in node: NodeID) -> [Int] {
        let inputs = self[node].inputs
        return inputs.indices.filter { inputs[$0] == value }
    }

    /// Replaces many values in one sweep, each by one that is not replaced itself: a node that reads many of them is
    /// looked through once.
    package mutating func replaceAll(_ replacements: [ValueID: ValueID]) {
        var readers: Set<NodeID> = []
        for (old, new) in replacements.sorted(by: { $0.key < $1.key }) {
            readers.formUnion(moveReaders(of: old, to: new))
        }
        for reader in readers {
            let inputs = self[reader].inputs.map { $0.map { replacements[$0] ?? $0 } }
            allNodes[reader.index]?.inputs = inputs
        }
    }

    /// Lets outputs of the graph be `new`, and counts the readers of `old` as its own; returns them.
    private mutating func moveReaders(of old: ValueID, to new: ValueID) -> Set<NodeID> {
        guard old != new else { return [] }
        let readers = allValues[old.index].consumers
        allValues[new.index].consumers += readers
        allValues[old.index].consumers = []
        if let places = outputPlaces.removeValue(forKey: old) {
            for place in places { outputs[place] = new }
            outputPlaces[new, default: []] += places
        }
        return Set(readers)
    }

    /// Says what a value is, whose node is about to go.
    package mutating func setConstant(_ datum: Datum, of value: ValueID) {
        allValues[value.index].constant = datum
        allValues[value.index].type = datum.type
    }

    /// Gives a value another name.
    package mutating func rename(_ value: ValueID, to name: String) { allValues[value.index].name = name }

    /// Makes one operand of one node another value.
    public mutating func setInput(_ index: Int, of node: NodeID, to value: ValueID?) {
        guard let old = allNodes[node.index]?.inputs, index < old.count else { return }
        if let value = old[index], let reader = allValues[value.index].consumers.firstIndex(of: node) {
            allValues[value.index].consumers.remove(at: reader)
        }
        allNodes[node.index]?.inputs[index] = value
        if let value { allValues[value.index].consumers.append(node) }
    }

    /// Takes out a node whose outputs nobody reads.
    public mutating func remove(_ node: NodeID) {
        guard let old = allNodes[node.index] else { return }
        for input in old.inputs {
            guard let input, let reader = allValues[input.index].consumers.firstIndex(of: node) else {
                continue
            }
            allValues[input.index].consumers.remove(at: reader)
        }
        for output in old.outputs { if let output { allValues[output.index].producer = nil } }
        allNodes[node.index] = nil
        order.remove(node)
    }

    /// Takes out every node in a set in one sweep, whoever reads them.
    package mutating func removeAll(_ dead: Set<NodeID>) {
        guard !dead.isEmpty else { return }
        var read: Set<ValueID> = []
        for node in dead {
            guard let old = allNodes[node.index] else { continue }
            read.formUnion(old.inputs.compactMap { $0 })
            for output in old.outputs { if let output { allValues[output.index].producer = nil } }
            allNodes[node.index] = nil
            order.remove(node)
        }
        for value in read { allValues[value.index].consumers.removeAll(where: dead.contains) }
    }

    /// Runs `edit` with new nodes placed just before `node`.
    public mutating func inserting<R>(
        before node: NodeID?, _ edit: (inout Graph) throws(DCNError) -> R
    ) throws(DCNError) -> R {
        let previous = insertionPoint
        insertionPoint = node
        defer { insertionPoint = previous }
        return try edit(&self)
    }

    /// Narrows a value's type; callers promise that it is true.
    package mutating func setType(_ type: ValueType, of value: ValueID) { allValues[value.index].type = type }

    /// Gives a value another name.
    package mutating func setName(_ name: String, of value: ValueID) { allValues[value.index].name = name }

    /// Takes out the bodies of a node and puts others there.
    package mutating func setBodies(_ bodies: [Graph], of node: NodeID) {
        allNodes[node.index]?.bodies = bodies
    }

    /// Forgets the values of all constants that nobody reads any more, so that their bytes can go.
    package mutating func releaseUnreadConstants() {
        for index in allValues.indices { releaseConstant(ValueID(index)) }
    }

    /// Forgets the value of a constant, if nobody reads it any more.
    package mutating func releaseConstant(_ value: ValueID) {
        guard allValues[value.index].constant != nil, allValues[value.index].consumers.isEmpty,
            !isOutput(value)
        else { return }
        allValues[value.index].constant = nil
    }

    /// Copies constants that lie where typed access is not allowed.
    package mutating func alignConstants() {
        for index in allValues.indices {
            guard case .tensor(let tensor)? = allValues[index].constant, !tensor.isAligned else { continue }
            allValues[index].constant = .tensor(tensor.aligned())
        }
    }

    private mutating func addValue(_ name: String, _ type: ValueType) -> ValueID {
        allValues.append(
            Value(name: name, type: type, constant: nil, dimensions: nil, producer: nil, consumers: []))
        return ValueID(allValues.count - 1)
    }
}
