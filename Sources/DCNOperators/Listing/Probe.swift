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

    /// What is accepted of each offer; throws what was said against the first when nothing improves it.
    func answers() throws(Misfit) -> [Answer] {
        let offers = Self.examples[name] ?? [Offer()]
        return try [answer(to: offers[0])] + offers.dropFirst().compactMap { try? answer(to: $0) }
    }

    /// The first improvement of an offer that is accepted.
    private func answer(to offer: Offer) throws(Misfit) -> Answer {
        var offer = offer
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

    /// The element types of each operand: those that are accepted with some attributes beside some types of the others.
    func elements(of answers: [Answer]) -> [[ElementType]] {
        answers[0].operands.types.indices.map { place in
            let accepted = answers.map(elements).compactMap { place < $0.count ? $0[place] : nil }.joined()
            return ElementType.allCases.filter(Set(accepted).contains)
        }
    }

    private func elements(of answer: Answer) -> [[ElementType]] {
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
