internal import DCNGraph

/// Asks a spelling what it takes, by trying: which element types an operator has is written down nowhere else.
///
/// Operands of unknown shape are offered. What is called missing is added, what is called wrong is replaced, until
/// the operator accepts; then each element type is tried in place of each operand's own.
struct Probe {
    let domain: String
    let name: String
    let version: Int
    let spelling: Dialect.Spelling

    /// What some spellings must be asked with: quantised operands, a picture of known size, something to scan, the
    /// attributes of anchors, of levels, and those of a tree of one leaf.
    private static let examples: [String: Offer] = [
        "Proposal": Offer(attributes: ["ratio": .floats([1]), "scale": .floats([1])]),
        "QLinearConv": Offer(quantised), "QLinearMatMul": Offer(quantised),
        "ps_roi_pool": Offer([
            TensorType(.float32, Shape([1, 1, 1, 1])), TensorType(.float32, Shape([1, 5])),
        ]),
        "Scan": Offer([.init(.float32, nil)], attributes: ["num_scan_inputs": .int(1)]),
        "TreeEnsemble": Offer(attributes: [
            "nodes_modes": .tensor(Tensor(vector: [UInt8(0)])),
            "nodes_splits": .tensor(Tensor(vector: [Float(0)])),
            "leaf_weights": .tensor(Tensor(vector: [Float(1)])), "nodes_featureids": .ints([0]),
            "nodes_truenodeids": .ints([0]), "nodes_trueleafs": .ints([1]), "nodes_falsenodeids": .ints([0]),
            "nodes_falseleafs": .ints([1]), "leaf_targetids": .ints([0]), "tree_roots": .ints([0]),
        ]),
        "Yolov3DetectionOutput": Offer(attributes: [
            "biases": .floats([1, 1]), "mask": .floats([0]), "anchors_scale": .floats([1]),
        ]),
        "FakeQuantize": Offer(attributes: ["levels": .int(2)]),
    ]

    private static let quantised = [.uint8, .float32, .uint8, .uint8, .float32, .uint8, .float32, .uint8]
        .map { (element: ElementType) in TensorType(element, nil) }

    /// An offer that was accepted.
    struct Answer {
        /// What the spelling means.
        var op: any Operator
        /// The operands that must be there, each of some type that it may have.
        var operands: Inputs
        /// The attributes that must be there.
        var attributes: [String: SourceAttribute]
        /// Whether graphs inside the node say what it takes.
        var hasBodies: Bool
    }

    /// The first offer that is accepted; throws what was said against the last when nothing improves it.
    func answer() throws(Misfit) -> Answer {
        var offer = Self.examples[name] ?? Offer()
        for _ in 0..<500 {
            do throws(Misfit) {
                let answer = try ask(offer.inputs, offer.attributes)
                // Sums and the like of a single operand are that operand.
                guard answer.op is Identity, name != Identity.name, answer.operands.count == 1 else {
                    return answer
                }
                offer.repeatFirst()
            } catch {
                guard offer.improve(after: error) else { throw error }
            }
        }
        throw .missing("what \(name) takes")
    }

    /// The element types of each operand: those that are accepted beside some types of the others.
    func elements(of answer: Answer) -> [[ElementType]] {
        answer.operands.types.indices.map { place in
            let groups = groups(around: place, in: answer.operands.types)
            return ElementType.allCases.filter { element in
                groups.contains { group in
                    var operands = answer.operands
                    for index in group {
                        operands.types[index] = operands.types[index]?.holding(element)
                        if operands.constants[index]?.tensor?.type.element != element {
                            operands.constants[index] = nil
                        }
                    }
                    return (try? ask(operands, answer.attributes)) != nil
                }
            }
        }
    }

    /// Sets of operands that may have to change their type together with the one at `place`.
    private func groups(around place: Int, in operands: [ValueType?]) -> [[Int]] {
        let alike = operands.indices.filter { operands[$0] == operands[place] }
        guard operands.count <= 4 else {
            let pairs = operands.indices.filter { $0 != place }.map { [place, $0] }
            return [alike, [place], Array(operands.indices)] + pairs
        }
        let sets = (0..<1 << operands.count).filter { $0 >> place & 1 == 1 }
        return [alike] + sets.map { set in operands.indices.filter { set >> $0 & 1 == 1 } }
    }

    /// What the spelling means for these operands; throws what mapping a file would.
    private func ask(
        _ operands: Inputs, _ attributes: [String: SourceAttribute]
    ) throws(Misfit) -> Answer {
        var node = SourceNode(
            domain: domain, opType: name, version: version, inputs: operands.types.indices.map { "\($0)" },
            outputs: ["y"], attributes: attributes)
        node.operands = operands
        let meaning = try spelling(node)
        let answer = Answer(
            op: meaning.op, operands: operands, attributes: attributes, hasBodies: !meaning.bodies.isEmpty)
        if !answer.hasBodies { _ = try meaning.op.boundedOutputTypes(for: operands.arranged(for: meaning)) }
        return answer
    }
}

extension Inputs {
    /// The operands that a meaning takes of the written ones.
    fileprivate func arranged(for meaning: Meaning) -> Inputs {
        let order = meaning.order ?? types.indices.map { $0 }
        func pick<T>(_ values: [T?]) -> [T?] {
            order.map { place in place.flatMap { $0 < values.count ? values[$0] : nil } }
        }
        var types = pick(types) + meaning.extra.map { $0.map { .tensor($0.type) } }
        while types.last == .some(nil) { types.removeLast() }
        let constants = pick(constants) + meaning.extra.map { $0.map(Datum.tensor) }
        return Inputs(types, constants: Array(constants.prefix(types.count)))
    }
}

extension ValueType {
    /// The same kind of value with other elements.
    fileprivate func holding(_ element: ElementType) -> ValueType {
        switch self {
        case .tensor(let type): .tensor(TensorType(element, type.shape))
        case .sequence(let inner): .sequence(inner.holding(element))
        case .optional(let inner): .optional(inner.holding(element))
        }
    }
}
