internal import DCNGraph
internal import DCNOperators

/// A pass that puts one operator in the place of nodes that were written out instead of it.
protocol Raising: Pass {
    /// What the node's result could be had from, or why not; nil where nothing looks like it.
    func candidate(_ id: NodeID, in graph: Graph) -> Result<RaisedOperator, NotRaised>?
    /// Whether a graph holds what all forms need.
    func mayApply(to graph: Graph) -> Bool
}

extension Raising {
    /// Most sample by hand.
    func mayApply(to graph: Graph) -> Bool { graph.samplesByHand }

    /// Raises what can be raised. Symbolic extents are tried with two sets of numbers, which must give the same operator.
    package func run(on graph: inout Graph, log: inout [Rewriting]) throws(DCNError) {
        try graph.editBodies { (body) throws(DCNError) in try run(on: &body, log: &log) }
        guard mayApply(to: graph) else { return }
        var views = graph.trialViews
        for id in graph.nodes where graph.contains(id) {
            guard let found = candidate(id, in: views) else { continue }
            let label = graph.label(of: id)
            switch found {
            case .success(let raised):
                // Symbols may fit in two trials and not in general: then the types tell.
                guard let edited = raised.replaced(in: graph) else { continue }
                graph = edited
                views = graph.trialViews
                log.append(Rewriting(rule: Self.name, node: label))
            case .failure(let miss):
                log.append(Rewriting(rule: Self.name, node: label, refusal: miss.reason))
            }
        }
    }

    private func candidate(_ id: NodeID, in views: [Graph]) -> Result<RaisedOperator, NotRaised>? {
        var first: RaisedOperator?
        for view in views {
            guard view.contains(id), let found = candidate(id, in: view) else { return nil }
            guard case .success(let raised) = found else { return found }
            guard let other = first else {
                first = raised
                continue
            }
            guard raised.isSame(as: other) else { return .failure(NotRaised(step: .extents)) }
        }
        return first.map { .success($0) }
    }
}

extension Graph {
    /// Whether anything here gathers at computed places.
    fileprivate var samplesByHand: Bool {
        nodes.contains { id in
            switch self[id].op {
            case is GatherElements, is GatherND, is GridSample: true
            case is Gather:
                self[id].inputs.count > 1 && self[id].inputs[1].map { self[$0].constant == nil } ?? false
            default: false
            }
        }
    }

    /// The graph itself, or, where its inputs have symbolic extents, the graph for two sets of numbers.
    fileprivate var trialViews: [Graph] {
        var symbols: [String: Int] = [:]
        for input in inputs {
            for (axis, dimension) in (self[input].type.tensor?.shape?.dimensions ?? []).enumerated() {
                guard case .symbol(let symbol) = dimension else { continue }
                symbols[symbol] = min(symbols[symbol] ?? axis, axis)
            }
        }
        guard !symbols.isEmpty else { return [self] }
        let views = [0, 1].compactMap { bound(symbols, trial: $0) }
        return views.count == 2 ? views : [self]
    }

    /// Small batches, and images that networks can halve often.
    private func bound(_ axes: [String: Int], trial: Int) -> Graph? {
        var numbers: [String: Int] = [:]
        for (index, symbol) in axes.keys.sorted().enumerated() {
            numbers[symbol] = axes[symbol] == 0 ? 1 + trial : 64 + 32 * (trial + index % 3)
        }
        var types: [ValueID: ValueType] = [:]
        for input in inputs {
            guard let type = self[input].type.tensor, let shape = type.shape else { continue }
            let dimensions = shape.dimensions.map { dimension -> Dimension in
                guard case .symbol(let symbol) = dimension else { return dimension }
                return numbers[symbol].map(Dimension.fixed) ?? dimension
            }
            types[input] = .tensor(TensorType(type.element, Shape(dimensions)))
        }
        guard var graph = try? retyped(types) else { return nil }
        var log: [Rewriting] = []
        guard (try? FoldConstants().run(on: &graph, log: &log)) != nil else { return nil }
        return graph
    }
}
