internal import DCNGraph

/// Operands and attributes as a probe offers them, improved by what was said against them.
struct Offer {
    /// Operands, by what the operator calls them as far as it said.
    private var operands: [(name: String, type: ValueType)]
    /// Values of attributes yet to be tried, the one on offer first.
    private var candidates: [String: [SourceAttribute]]
    /// Whether int64 operands are constants.
    private var hasConstants = false
    /// Words that were said.
    private var heard: Set<String> = []
    /// Operands that were taken for one of a name that was not said before.
    private var guessed: [String: Set<Int>] = [:]

    private var lastGuess: Int?

    /// An offer of some operands and attributes.
    init(_ operands: [TensorType] = [], attributes: [String: SourceAttribute] = [:]) {
        self.operands = operands.map { (name: "", type: .tensor($0)) }
        candidates = attributes.mapValues { [$0] }
    }

    /// Types that are offered for an operand, one after the other.
    private static let kinds: [ValueType] =
        ElementType.allCases.map { .tensor(TensorType($0, nil)) }
        + [.sequence(number), .sequence(.tensor(TensorType(.string, nil))), .optional(number)]

    private static let number = ValueType.tensor(TensorType(.float32, nil))

    /// The operands on offer.
    var inputs: Inputs {
        let one = Datum.tensor(Tensor(scalar: Int64(1)))
        let constants = operands.map { hasConstants && $0.type.tensor?.element == .int64 ? one : nil }
        return Inputs(operands.map(\.type), constants: constants)
    }

    /// The attributes on offer.
    var attributes: [String: SourceAttribute] { candidates.compactMapValues(\.first) }

    /// Adds an operand of the first one's type.
    mutating func repeatFirst() { operands.append((name: "", type: operands.first?.type ?? Self.number)) }

    /// Adds what is missing, or goes on to the next of what does not fit; false when there is nothing else.
    mutating func improve(after misfit: Misfit) -> Bool {
        switch misfit {
        case .missing(let what): return add(what)
        case .attribute(let name, let reason): return changeAttribute(name, saying: reason)
        case .element(let name, let expected, let got):
            let words = expected.split { !$0.isLetter && !$0.isNumber }
            let wanted = ElementType.allCases.first {
                words.contains(Substring($0.description)) && $0 != got
            }
            return change(name, got, to: wanted.map { .tensor(TensorType($0, nil)) })
        case .kind(let name, _, _), .rank(let name, _, _): return change(name, nil, to: nil)
        case .value(of: "the node", _): return add("")
        default: return false
        }
    }

    private mutating func add(_ what: String) -> Bool {
        let words = what.split { $0 == " " || $0 == "," }
        switch (words.first, words.dropFirst().first) {
        case ("constant", let name?):
            // Some spellings take such a number as an attribute too, others as an operand only.
            if addAttribute(String(name), saying: "") { return true }
            hasConstants = true
            append(what, .tensor(TensorType(.int64, nil)))
        case ("attribute", let name?): return addAttribute(String(name), saying: "")
        case ("graph", "attribute"): return addAttribute(String(words[2]), saying: "graph")
        case ("the", "rank"):
            for index in operands.indices {
                guard let element = operands[index].type.tensor?.element else { return false }
                operands[index].type = .tensor(TensorType(element, .unknown(rank: 2)))
            }
            return true
        default: append(what, Self.number)
        }
        return operands.count <= 16
    }

    /// Adds an operand. What is missing still after one was added for it lies further back.
    private mutating func append(_ name: String, _ type: ValueType) {
        if operands.last?.name == name { operands[operands.count - 1].name = "" }
        operands.append((name: name, type: type))
    }

    /// Gives an operand the type `wanted`, or the next. One whose name was not said before is some one of `element`.
    private mutating func change(_ name: String, _ element: ElementType?, to wanted: ValueType?) -> Bool {
        func isGuess(_ index: Int) -> Bool {
            operands[index].type.tensor?.element == element && guessed[name]?.contains(index) != true
        }
        var place = operands.firstIndex { $0.name == name }
        if place == nil, let last = lastGuess, operands[last].type.tensor?.element == element {
            // The wrong one was changed, and says so.
            operands[last].name = name
            (place, lastGuess) = (last, nil)
        }
        if place == nil {
            place =
                operands.indices.first { operands[$0].name.isEmpty && isGuess($0) }
                ?? operands.indices.last(where: isGuess)
            if let place { guessed[name, default: []].insert(place) }
            lastGuess = place
        }
        guard let place else { return false }
        let next = (Self.kinds.firstIndex(of: operands[place].type) ?? -1) + 1
        operands[place].type = wanted ?? Self.kinds[next % Self.kinds.count]
        return true
    }

    private mutating func addAttribute(_ name: String, saying reason: String) -> Bool {
        guard candidates[name] == nil else { return false }
        let graph = SourceAttribute.graph(SourceGraph())
        candidates[name] =
            (reason == "graph" ? [graph] : [])
            + [.int(1), .ints([1]), .ints([1, 1]), .float(1), .floats([1]), .type(Self.number)]
            + [.tensor(Tensor(vector: [Float(1)])), .strings([ByteString("a")])]
            + ["a", "i->i"].map { .string(ByteString($0)) } + hints(of: reason)
        return true
    }

    private mutating func changeAttribute(_ name: String, saying reason: String) -> Bool {
        guard candidates[name] != nil else { return addAttribute(name, saying: reason) }
        let hints = hints(of: reason)
        candidates[name]?.removeFirst()
        candidates[name]?.insert(contentsOf: hints, at: 0)
        return candidates[name]?.isEmpty == false
    }

    /// The words of a sentence that were not heard before, as strings to offer.
    private mutating func hints(of reason: String) -> [SourceAttribute] {
        let words = reason.split { !$0.isLetter && !$0.isNumber && $0 != "_" }.reversed()
        return words.filter { heard.insert(String($0)).inserted }.map { .string(ByteString(String($0))) }
    }
}
