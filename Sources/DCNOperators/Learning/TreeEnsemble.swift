package import DCNGraph

/// Decision trees whose leaves are gathered for each target.
///
/// Operands: x [N, F]; for each node its mode (uint8), threshold, feature, true and false branch, whether these are
/// leaves, and which way NaN goes; the roots; for each leaf its weight and target; and the members of each node that
/// asks for membership, one after the other with NaN between.
package struct TreeEnsemble: Operator {
    package static let name = "TreeEnsemble"

    /// How the leaves of a target become one number.
    package enum Aggregate: Int, Sendable, Hashable, Codable { case average, sum, least, greatest }
    /// What happens to the numbers of a row in the end.
    package enum Transform: Int, Sendable, Hashable, Codable { case none, softmax, logistic, softmaxZero }

    package var targets: Int
    package var aggregate: Aggregate
    package var transform: Transform
    package init(targets: Int, aggregate: Aggregate, transform: Transform) {
        self.targets = targets
        self.aggregate = aggregate
        self.transform = transform
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X", rank: 2)
        try x.expect([.float32, .float64, .float16])
        for (index, name) in [(2, "nodes_splits"), (10, "leaf_weights")] {
            try inputs.required(index, name).expectSameElement(as: x)
        }
        guard targets > 0, targets <= 1 << 20 else {
            throw .attribute("n_targets", because: "is \(targets), expected 1 … \(1 << 20)")
        }
        return [.tensor(TensorType(x.element, [x.dimension(0), .fixed(targets)]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let tensors = inputs.map { $0?.tensor?.aligned() }
                guard let x = tensors.first ?? nil else { throw .missing("X") }
                let forest = try Forest(tensors, features: x.extents[1], targets: targets)
                let output = try scope.allocate(TensorType(x.type.element, extents: [x.extents[0], targets]))
                let reader = try ElementReader(x.type.element)
                let writer = try ElementWriter(x.type.element)
                for row in 0..<x.extents[0] {
                    try scope.checkpoint()
                    let values = (0..<x.extents[1]).map { reader.number(x.base, row * x.extents[1] + $0) }
                    for (target, result) in transformed(gathered(try forest.leaves(values))).enumerated() {
                        writer.store(writer.bits(of: result), output.storage.base, row * targets + target)
                    }
                }
                return [.tensor(output.finished)]
            })
    }

    private func gathered(_ leaves: [(target: Int, weight: Double)]) -> [Double] {
        var results = [Double?](repeating: nil, count: targets)
        for leaf in leaves {
            guard let before = results[leaf.target] else {
                results[leaf.target] = leaf.weight
                continue
            }
            switch aggregate {
            case .average, .sum: results[leaf.target] = before + leaf.weight
            case .least: results[leaf.target] = min(before, leaf.weight)
            case .greatest: results[leaf.target] = max(before, leaf.weight)
            }
        }
        let share = aggregate == .average ? Double(max(1, leaves.count)) : 1
        return results.map { ($0 ?? 0) / share }
    }

    private func transformed(_ values: [Double]) -> [Double] {
        switch transform {
        case .none: return values
        case .logistic: return values.map(logistic)
        case .softmax, .softmaxZero:
            let greatest = values.max() ?? 0
            let powers = values.map {
                transform == .softmaxZero && $0 == 0 ? 0 : Elementary.exp($0 - greatest)
            }
            let sum = powers.reduce(0, +)
            return powers.map { sum == 0 ? 0 : $0 / sum }
        }
    }
}

/// The trees, checked: no branch leads outside.
private struct Forest {
    struct Branch {
        var place: Int
        var isLeaf: Bool
    }

    private let modes: [Int]
    private let splits: [Double]
    private let features: [Int]
    private let branches: [(no: Branch, yes: Branch)]
    private let missingIsTrue: [Int]
    private let roots: [Int]
    private let weights: [Double]
    private let targets: [Int]
    private var members: [Int: Set<Double>] = [:]

    init(_ tensors: [Tensor?], features featureCount: Int, targets targetCount: Int) throws(Misfit) {
        func integers(_ index: Int) throws(Misfit) -> [Int] {
            guard index < tensors.count, let values = tensors[index]?.integers else {
                throw .missing("input \(index)")
            }
            return values
        }
        func numbers(_ index: Int) throws(Misfit) -> [Double] {
            guard index < tensors.count, let tensor = tensors[index] else { return [] }
            let reader = try ElementReader(tensor.type.element)
            return (0..<tensor.count).map { reader.number(tensor.base, $0) }
        }
        modes = try integers(1)
        splits = try numbers(2)
        features = try integers(3)
        let (yes, no, yesLeaf, noLeaf) = (try integers(4), try integers(5), try integers(6), try integers(7))
        missingIsTrue = try integers(8)
        roots = try integers(9)
        weights = try numbers(10)
        targets = try integers(11)
        let count = modes.count
        guard
            [splits.count, features.count, yes.count, no.count, yesLeaf.count, noLeaf.count].allSatisfy({
                $0 == count
            }),
            missingIsTrue.isEmpty || missingIsTrue.count == count, targets.count == weights.count
        else { throw .value(of: "the trees", because: "have lists of different lengths") }
        branches = (0..<count).map { index in
            (
                Branch(place: no[index], isLeaf: noLeaf[index] != 0),
                Branch(place: yes[index], isLeaf: yesLeaf[index] != 0)
            )
        }
        let leaves = weights.count
        func isInside(_ branch: Branch) -> Bool {
            branch.place >= 0 && branch.place < (branch.isLeaf ? leaves : count)
        }
        guard branches.allSatisfy({ isInside($0.no) && isInside($0.yes) }),
            roots.allSatisfy({ $0 >= 0 && $0 < count }),
            features.allSatisfy({ $0 >= 0 && $0 < featureCount }),
            targets.allSatisfy({ $0 >= 0 && $0 < targetCount }), modes.allSatisfy({ $0 >= 0 && $0 <= 6 })
        else {
            throw .value(
                of: "the trees", because: "refer to nodes, leaves, features or targets that are not there")
        }
        collectMembers(try numbers(12))
    }

    private mutating func collectMembers(_ values: [Double]) {
        let sets = values.split(omittingEmptySubsequences: false) { $0.isNaN }
        for (index, set) in zip(modes.indices.filter { modes[$0] == 6 }, sets) { members[index] = Set(set) }
    }

    /// The leaf of each tree for one row.
    func leaves(_ row: [Double]) throws(Misfit) -> [(target: Int, weight: Double)] {
        var leaves: [(target: Int, weight: Double)] = []
        for root in roots {
            var branch = Branch(place: root, isLeaf: false)
            var steps = 0
            while !branch.isLeaf {
                guard steps <= branches.count else {
                    throw .value(of: "the trees", because: "run in a circle")
                }
                steps += 1
                let node = branch.place
                branch = holds(node, row[features[node]]) ? branches[node].yes : branches[node].no
            }
            leaves.append((targets[branch.place], weights[branch.place]))
        }
        return leaves
    }

    private func holds(_ node: Int, _ value: Double) -> Bool {
        if value.isNaN, !missingIsTrue.isEmpty { return missingIsTrue[node] != 0 }
        switch modes[node] {
        case 0: return value <= splits[node]
        case 1: return value < splits[node]
        case 2: return value >= splits[node]
        case 3: return value > splits[node]
        case 4: return value == splits[node]
        case 5: return value != splits[node]
        default: return members[node]?.contains(value) ?? false
        }
    }
}

/// Version 5's spelling: everything but x is an attribute.
func treeEnsemble(_ node: SourceNode) throws(Misfit) -> Meaning {
    node.ignore("nodes_hitrates")
    func integers(_ name: String) throws(Misfit) -> Tensor {
        Tensor(vector: try node.ints(name, default: []).map { Int64($0) })
    }
    guard let modes = try node.optionalTensor("nodes_modes"),
        let splits = try node.optionalTensor("nodes_splits"),
        let weights = try node.optionalTensor("leaf_weights")
    else { throw .missing("attribute nodes_modes, nodes_splits or leaf_weights") }
    let (sum, none) = (
        try node.int("aggregate_function", default: 1), try node.int("post_transform", default: 0)
    )
    guard let aggregate = TreeEnsemble.Aggregate(rawValue: sum) else {
        throw .attribute("aggregate_function", because: "is \(sum), expected 0 … 3")
    }
    guard let transform = TreeEnsemble.Transform(rawValue: none) else {
        throw .unsupported("trees with post_transform \(none)")
    }
    let op = TreeEnsemble(
        targets: try node.int("n_targets", default: 1), aggregate: aggregate, transform: transform)
    let order = [
        "nodes_featureids", "nodes_truenodeids", "nodes_falsenodeids", "nodes_trueleafs", "nodes_falseleafs",
    ]
    var extra: [Tensor?] = [modes, splits]
    for name in order { extra.append(try integers(name)) }
    extra += [try integers("nodes_missing_value_tracks_true"), try integers("tree_roots"), weights]
    extra += [try integers("leaf_targetids"), try node.optionalTensor("membership_values")]
    return Meaning(op, order: [0], extra: extra)
}
