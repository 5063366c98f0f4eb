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
        for (index, input) in inputs.enumerated() { note(id, reading: input, as: index) }
        return results
    }

    /// Makes every reader of `old`, the graph's outputs included, read `new` instead.
    public mutating func replace(_ old: ValueID, with new: ValueID) {
        guard old != new else { return }
        let (readers, operands) = (allValues[old.index].consumers, allValues[old.index].operands)
        for (reader, operand) in zip(readers, operands) { allNodes[reader.index]?.inputs[operand] = new }
        allValues[new.index].consumers += readers
        allValues[new.index].operands += operands
        allValues[old.index].consumers = []
        allValues[old.index].operands = []
        guard let places = outputPlaces.removeValue(forKey: old) else { return }
        for place in places { outputs[place] = new }
        outputPlaces[new, default: []] += places
    }

    /// Says what a value is, whose node is about to go.
    package mutating func setConstant(_ datum: Datum, of value: ValueID) {
        allValues[value.index].constant = datum
        allValues[value.index].type = datum.type
    }

    /// Makes one operand of one node another value.
    public mutating func setInput(_ index: Int, of node: NodeID, to value: ValueID?) {
        guard let count = allNodes[node.index]?.inputs.count, index < count else { return }
        forget(node, reading: self[node].inputs[index], as: index)
        allNodes[node.index]?.inputs[index] = value
        note(node, reading: value, as: index)
    }

    /// Takes out a node whose outputs nobody reads.
    public mutating func remove(_ node: NodeID) {
        guard let old = allNodes[node.index] else { return }
        for (index, input) in old.inputs.enumerated() { forget(node, reading: input, as: index) }
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
        for value in read {
            let (consumers, operands) = (allValues[value.index].consumers, allValues[value.index].operands)
            let kept = consumers.indices.filter { !dead.contains(consumers[$0]) }
            allValues[value.index].consumers = kept.map { consumers[$0] }
            allValues[value.index].operands = kept.map { operands[$0] }
        }
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
            Value(
                name: name, type: type, constant: nil, dimensions: nil, producer: nil, consumers: [],
                operands: []))
        return ValueID(allValues.count - 1)
    }

    private mutating func note(_ node: NodeID, reading value: ValueID?, as operand: Int) {
        guard let value else { return }
        allValues[value.index].consumers.append(node)
        allValues[value.index].operands.append(operand)
    }

    private mutating func forget(_ node: NodeID, reading value: ValueID?, as operand: Int) {
        guard let value, let place = allValues[value.index].place(of: node, operand) else { return }
        allValues[value.index].consumers.remove(at: place)
        allValues[value.index].operands.remove(at: place)
    }
}

extension Value {
    /// Where among the readings that of a node's operand is.
    fileprivate func place(of node: NodeID, _ operand: Int) -> Int? {
        consumers.indices.first { consumers[$0] == node && operands[$0] == operand }
    }
}
