internal import DCNGraph
internal import DCNOperators

/// How values flow through sampling that was written out: images into gathers, positions into indices and weights.
struct SamplingFlow {
    let graph: Graph
    /// The nodes that gather, in running order.
    let gathers: [NodeID]
    /// Values that follow from what was gathered.
    private let carried: Set<ValueID>
    private let cone: Set<NodeID>
    private let places: [NodeID: Int]

    /// The flow that ends in some values; nil where nothing before them gathers at computed places.
    init?(into ends: [ValueID], in graph: Graph, places: [NodeID: Int]) {
        self.graph = graph
        self.places = places
        var cone: Set<NodeID> = []
        var waiting = ends
        while let value = waiting.popLast() {
            guard let producer = graph[value].producer, Self.isPlain(graph[producer].op),
                cone.insert(producer).inserted
            else { continue }
            guard cone.count <= 1_000 else { return nil }
            waiting += graph[producer].inputs.compactMap { $0 }
        }
        let ordered = cone.sorted { places[$0, default: 0] < places[$1, default: 0] }
        gathers = ordered.filter { Self.gathers(graph[$0], graph) }
        guard !gathers.isEmpty else { return nil }
        var carried: Set<ValueID> = []
        let sources = Set(gathers)
        for id in ordered
        where sources.contains(id) || graph[id].inputs.contains(where: { $0.map(carried.contains) ?? false })
        {
            carried.formUnion(graph[id].outputs.compactMap { $0 })
        }
        self.carried = carried
        self.cone = cone
    }

    /// Arithmetic and movement, of which written-out sampling is made; all else bounds it.
    private static func isPlain(_ op: any Operator) -> Bool { plainNames.contains(op.name) }

    private static let plainNames: Set<String> = [
        "Add", "Sub", "Mul", "Div", "Neg", "Sum", "Floor", "Cast", "Clip", "Min", "Max", "Mod", "Less",
        "LessOrEqual",
        "Greater", "GreaterOrEqual", "Equal", "Or", "And", "Not", "Where", "Slice", "Split", "Concat",
        "Reshape",
        "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Expand", "Tile", "Pad", "Gather", "GatherElements",
        "GatherND",
        "GridSample", "Identity",
    ]

    private static func gathers(_ node: Node, _ graph: Graph) -> Bool {
        switch node.op {
        case is GatherElements, is GatherND, is GridSample: true
        case is Gather: node.inputs.count > 1 && node.inputs[1].map { graph[$0].constant == nil } ?? false
        default: false
        }
    }

    /// Whether grids are sampled as deformable operators sample.
    var isBilinear: Bool {
        gathers.allSatisfy { id in
            guard let op = graph[id].op as? GridSample else { return true }
            return op.interpolation == .linear && op.outside == .zeros
        }
    }

    /// What a gather reads from.
    func data(of gather: NodeID) -> ValueID? { graph[gather].inputs.first ?? nil }

    /// Where gathers read: values on which all positions depend and through which all of them go, the farthest first.
    var positions: [ValueID] {
        passes(from: Set(gathers.compactMap { graph[$0].inputs.count > 1 ? graph[$0].inputs[1] : nil }))
    }

    /// Values through which all images go, the farthest first; they end where padding was added.
    var images: [ValueID] {
        let movements: Set<String> = [
            "Pad", "Reshape", "Flatten", "Transpose", "Squeeze", "Unsqueeze", "Split", "Slice", "Identity",
        ]
        let all = passes(from: Set(gathers.compactMap(data)), through: movements)
        guard
            let padded = all.lastIndex(where: { value in
                graph[value].producer.map { graph[$0].op is Pad } ?? false
            })
        else { return all }
        return Array(all[max(0, padded - 1)...])
    }

    /// What multiplies or joins the samples without following from `position`: masks; the farthest first.
    func masks(besides position: ValueID) -> [ValueID]? {
        let dependent = dependents(of: position)
        var found: Set<ValueID> = []
        for id in cone
        where graph[id].outputs.contains(where: { $0.map(carried.contains) ?? false })
            && !gathers.contains(id)
        {
            for input in graph[id].inputs.compactMap({ $0 }) where graph[input].constant == nil {
                if !carried.contains(input), !dependent.contains(input) { found.insert(input) }
            }
        }
        return found.isEmpty ? nil : passes(from: found)
    }

    private func dependents(of value: ValueID) -> Set<ValueID> {
        var found: Set<ValueID> = [value]
        for id in cone.sorted(by: { places[$0, default: 0] < places[$1, default: 0] })
        where graph[id].inputs.contains(where: { $0.map(found.contains) ?? false }) {
            found.formUnion(graph[id].outputs.compactMap { $0 })
        }
        return found
    }

    /// The values that all paths back from `start` have in common, the farthest first.
    private func passes(from start: Set<ValueID>, through names: Set<String>? = nil) -> [ValueID] {
        var frontier = start.filter { graph[$0].constant == nil }
        var found: [ValueID] = []
        while !frontier.isEmpty {
            if frontier.count == 1 { found += frontier }
            let last = frontier.max { place(of: $0) < place(of: $1) }
            guard let last, let producer = graph[last].producer, cone.contains(producer),
                names?.contains(graph[producer].op.name) ?? true
            else { break }
            for output in graph[producer].outputs { if let output { frontier.remove(output) } }
            for input in graph[producer].inputs.compactMap({ $0 }) where graph[input].constant == nil {
                frontier.insert(input)
            }
        }
        return found.reversed()
    }

    private func place(of value: ValueID) -> Int {
        graph[value].producer.map { places[$0, default: -1] } ?? -1
    }
}
