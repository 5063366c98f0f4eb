package import DCNGraph

/// Makes models that are almost right out of models that are right.
package struct ModelMutation {
    /// Where its choices come from; what is left of it afterwards.
    package private(set) var random: SeededRandom

    /// The mutation of a seed.
    package init(_ random: SeededRandom) { self.random = random }

    /// Changes a few things in a model.
    package mutating func apply(to model: inout SourceModel) {
        for _ in 0..<Int.random(in: 0...4, using: &random) { change(&model.graph, depth: 0) }
        if random.once(in: 16) { model.opsets[""] = Int.random(in: 1...27, using: &random) }
    }

    private mutating func change(_ graph: inout SourceGraph, depth: Int) {
        if depth < 4, random.once(in: 3), changeBody(in: &graph, depth: depth) { return }
        switch Int.random(in: 0..<16, using: &random) {
        case 0..<6: changeNode(&graph) { $0.changeAttribute(&$1) }
        case 6..<9: changeInput(&graph)
        case 9..<12: changeInitialiser(&graph)
        case 12..<14: changeNode(&graph) { $0.changeOperands(&$1) }
        case 14: changeNode(&graph) { $1.version = Int.random(in: 1...27, using: &$0.random) }
        default: changeOutputs(&graph)
        }
    }

    private mutating func changeBody(in graph: inout SourceGraph, depth: Int) -> Bool {
        var places: [(Int, String)] = []
        for (index, node) in graph.nodes.enumerated() {
            for name in node.attributes.keys.sorted() {
                if case .graph? = node.attributes[name] { places.append((index, name)) }
            }
        }
        guard !places.isEmpty else { return false }
        let (index, name) = random.one(of: places)
        guard case .graph(var body)? = graph.nodes[index].attributes[name] else { return false }
        change(&body, depth: depth + 1)
        graph.nodes[index].attributes[name] = .graph(body)
        return true
    }

    private mutating func changeNode(
        _ graph: inout SourceGraph, _ edit: (inout Self, inout SourceNode) -> Void
    ) {
        guard !graph.nodes.isEmpty else { return }
        let index = Int.random(in: 0..<graph.nodes.count, using: &random)
        edit(&self, &graph.nodes[index])
    }

    private mutating func changeOutputs(_ graph: inout SourceGraph) {
        guard !graph.outputs.isEmpty else { return }
        if random.once(in: 2) {
            graph.outputs.append(random.one(of: graph.outputs))
        } else {
            graph.outputs.removeLast()
        }
    }
}

// MARK: attributes

extension ModelMutation {
    fileprivate mutating func changeAttribute(_ node: inout SourceNode) {
        guard let name = node.attributes.keys.sorted().randomElement(using: &random) else { return }
        if random.once(in: 10) {
            node.attributes[name] = nil
        } else if let old = node.attributes[name] {
            node.attributes[name] = changed(old)
        }
    }

    private mutating func changed(_ attribute: SourceAttribute) -> SourceAttribute {
        if random.once(in: 20) {
            return random.one(of: [
                .int(HostileValues.int(&random)), .ints([]), .floats([]), .string(ByteString([0xFF, 0x00])),
                .float(.nan),
            ])
        }
        switch attribute {
        case .int: return .int(HostileValues.int(&random))
        case .float: return .float(Float(HostileValues.float(&random)))
        case .ints(let values): return .ints(changed(values) { HostileValues.int(&$0) })
        case .floats(let values): return .floats(changed(values) { Float(HostileValues.float(&$0)) })
        case .string(let value): return .string(changed(value))
        case .strings(let values): return .strings(changed(values) { _ in ByteString([0xC0, 0x80, 0x0A]) })
        case .tensor(let tensor): return .tensor(changed(tensor))
        case .type(let type): return .type(changed(type))
        case .graph, .tensors, .graphs, .types: return attribute
        }
    }

    private mutating func changed<T>(_ values: [T], _ make: (inout SeededRandom) -> T) -> [T] {
        var values = values
        switch Int.random(in: 0..<6, using: &random) {
        case 0: values.append(make(&random))
        case 1 where !values.isEmpty: values.removeLast()
        case 2: values = values.map { _ in make(&random) }
        default:
            if values.isEmpty { return values }
            values[Int.random(in: 0..<values.count, using: &random)] = make(&random)
        }
        return values
    }

    private mutating func changed(_ value: ByteString) -> ByteString {
        let words = [
            "", "NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID", "linear", "nearest", "cubic", "max", "avg",
            "constant",
            "reflect", "edge", "wrap", "none", "add", "mul", "min", "sum", "mean", "DCR", "CRD", "zeros",
            "border",
            "half_pixel", "align_corners", "asymmetric", "tf_crop_and_resize", "stretch", "not_larger",
            "ij,jk->ik",
            "...ii->i", "->", "forward", "reverse", "bidirectional",
        ]
        return random.once(in: 6) ? ByteString([0xFF, 0xFE]) : ByteString(random.one(of: words) as String)
    }
}

// MARK: values

extension ModelMutation {
    private mutating func changed(_ tensor: Tensor) -> Tensor {
        var type = tensor.type
        if random.once(in: 2), case .tensor(let other) = changed(.tensor(type)) { type = other }
        return HostileValues.tensor(type, byteLimit: 1 << 16, &random) ?? tensor
    }

    private mutating func changed(_ type: ValueType) -> ValueType {
        guard case .tensor(var tensor) = type else { return type }
        if random.once(in: 8) { tensor.element = random.one(of: ElementType.allCases) }
        if random.once(in: 16) { tensor.shape = nil }
        guard var dimensions = tensor.shape?.dimensions else { return .tensor(tensor) }
        switch Int.random(in: 0..<6, using: &random) {
        case 0: dimensions.append(.fixed(HostileValues.extent(&random)))
        case 1 where !dimensions.isEmpty: dimensions.removeFirst()
        case 2 where !dimensions.isEmpty:
            dimensions[Int.random(in: 0..<dimensions.count, using: &random)] = random.one(of: [.unknown, "N"])
        default:
            if !dimensions.isEmpty {
                dimensions[Int.random(in: 0..<dimensions.count, using: &random)] =
                    .fixed(HostileValues.extent(&random))
            }
        }
        tensor.shape = Shape(dimensions)
        return .tensor(tensor)
    }

    fileprivate mutating func changeInput(_ graph: inout SourceGraph) {
        guard !graph.inputs.isEmpty else { return }
        let index = Int.random(in: 0..<graph.inputs.count, using: &random)
        guard let type = graph.inputs[index].type else { return }
        if random.once(in: 4), case .tensor(let tensor) = type,
            let value = HostileValues.tensor(tensor, byteLimit: 1 << 16, &random)
        {
            // A constant is looked into where an input is not.
            graph.initialisers.append((graph.inputs[index].name, value))
            graph.inputs.remove(at: index)
            return
        }
        graph.inputs[index].type = changed(type)
    }

    fileprivate mutating func changeInitialiser(_ graph: inout SourceGraph) {
        guard !graph.initialisers.isEmpty else { return changeInput(&graph) }
        let index = Int.random(in: 0..<graph.initialisers.count, using: &random)
        graph.initialisers[index].tensor = changed(graph.initialisers[index].tensor)
    }

    fileprivate mutating func changeOperands(_ node: inout SourceNode) {
        guard !node.inputs.isEmpty else { return }
        let index = Int.random(in: 0..<node.inputs.count, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: node.inputs.removeLast()
        case 1: node.inputs[index] = ""
        case 2: node.inputs.append(node.inputs[index])
        case 3: node.outputs.append("unwanted")
        case 4: node.inputs.shuffle(using: &random)
        default: node.inputs[index] = random.one(of: node.inputs)
        }
    }
}
