package import DCNGraph
internal import DCNOperators

/// Decides how each value lies, and converts where two neighbours disagree.
///
///     conv(x) → relayout(conv(relayout(x)))       conversions at the borders of channels-last regions only
package struct AssignLayouts: Pass {
    package static let name = "assign-layouts"
    package init() {}

    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        var work = Work(old: graph)
        graph = try work.rebuilt()
    }
}

private struct Work {
    let old: Graph
    var new: Graph
    /// What stands for each old value, in each layout that somebody asked for.
    var places: [ValueID: [Layout: ValueID]] = [:]

    init(old: Graph) {
        self.old = old
        new = Graph(name: old.name, limits: old.limits)
    }

    mutating func rebuilt() throws(DCNError) -> Graph {
        for input in old.inputs {
            places[input] = [layout(of: old[input].type): new.addInput(old[input].name, old[input].type)]
        }
        for id in old.nodes { try append(old[id]) }
        for (output, name) in zip(old.outputs, old.outputNames) {
            new.addOutput(try place(output, .rowMajor), named: name)
        }
        return new
    }

    private func layout(of type: ValueType) -> Layout { type.tensor?.layout ?? .rowMajor }

    private mutating func append(_ node: Node) throws(DCNError) {
        let operands = old.operands(of: node.inputs, bodies: node.bodies, outputCount: node.outputs.count)
        let op = chosen(node)
        let rule = op.layoutRule(for: operands)
        let follows = isFollowed(rule, node)
        var inputs: [ValueID?] = []
        for (index, input) in node.inputs.enumerated() {
            guard let input else {
                inputs.append(nil)
                continue
            }
            inputs.append(try place(input, wanted(index, rule, follows: follows)))
        }
        let names = node.outputs.map { $0.map { old[$0].name } }
        let results = try new.appendNode(
            op, inputs, bodies: node.bodies, named: node.name, outputs: names, origin: node.origin)
        for (output, result) in zip(node.outputs, results) {
            if let output, let result { places[output] = [layout(of: new[result].type): result] }
        }
    }

    /// The operator, writing row-major where it may and all its readers want that.
    private func chosen(_ node: Node) -> any Operator {
        guard let op = node.op as? any ResultLayoutChoosing, node.outputs.count == 1,
            let output = node.outputs[0], isReadRowMajor(output)
        else { return node.op }
        return op.giving(.rowMajor) ?? node.op
    }

    private func isReadRowMajor(_ value: ValueID) -> Bool {
        Set(old[value].consumers).allSatisfy { id in
            let reader = old[id]
            let operands = old.operands(
                of: reader.inputs, bodies: reader.bodies, outputCount: reader.outputs.count)
            return reader.op.layoutRule(for: operands) == .rowMajor
        }
    }

    /// The layout in which a node reads an input; nil for as it lies.
    private func wanted(_ index: Int, _ rule: LayoutRule, follows: Bool) -> Layout? {
        switch rule {
        case .rowMajor: return .rowMajor
        case .channelsLast(let inputs, _, let either):
            return inputs.contains(index) ? .channelsLast : either.contains(index) ? nil : .rowMajor
        case .follow(let inputs, _):
            return follows && inputs.contains(index) ? .channelsLast : .rowMajor
        }
    }

    /// Whether an operand that a node follows is there channels last only.
    private func isFollowed(_ rule: LayoutRule, _ node: Node) -> Bool {
        guard case .follow(let inputs, _) = rule else { return false }
        return inputs.contains { other in
            guard other < node.inputs.count, let value = node.inputs[other] else { return false }
            return places[value]?[.channelsLast] != nil && places[value]?[.rowMajor] == nil
        }
    }

    /// The new value that stands for an old one in a layout, converted now where it has to be.
    private mutating func place(_ value: ValueID, _ layout: Layout?) throws(DCNError) -> ValueID {
        if places[value] == nil, let constant = old[value].constant {
            places[value] = [self.layout(of: old[value].type): new.addConstant(old[value].name, constant)]
        }
        guard let known = places[value], let first = known[.rowMajor] ?? known[.channelsLast] else {
            throw DCNError(.defect, .fuse, "'\(escaped(old[value].name))' is read before it is written")
        }
        guard let layout else { return known[.channelsLast] ?? first }
        if let place = known[layout] { return place }
        let place = try converted(first, to: layout)
        places[value]?[layout] = place
        return place
    }

    private mutating func converted(_ value: ValueID, to layout: Layout) throws(DCNError) -> ValueID {
        let name = new[value].name
        if let constant = new[value].constant,
            let values = try? evaluate(
                Relayout(to: layout), [constant], outputCount: 1, instructionSet: .best, byteLimit: Int.max)
        {
            return new.addConstant(name, values[0])
        }
        return try new.append(Relayout(to: layout), [value], named: name)[0]
    }
}
