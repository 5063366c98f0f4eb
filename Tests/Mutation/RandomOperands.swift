internal import DCNGraph

/// Operands for one operator of which nobody knows what it wants: guessed, then mended by what it says of them.
struct RandomOperands {
    /// One operand: its type, and its value where it is a constant.
    struct Operand {
        var type: ValueType
        var value: Tensor?
    }

    private(set) var operands: [Operand?] = []
    private var base: [Int]
    private var element: ElementType

    init(_ random: inout SeededRandom) {
        base = (0..<6).map { _ in random.one(of: [1, 2, 2, 3, 4, 5, 8]) }
        if random.once(in: 12) { base[Int.random(in: 0..<6, using: &random)] = 0 }
        element = random.once(in: 4) ? random.one(of: ElementType.allCases) : .float32
        for _ in 0..<random.one(of: [1, 1, 2, 2, 3, 3, 4, 5, 6, 8]) { operands.append(operand(&random)) }
    }

    private mutating func operand(_ random: inout SeededRandom) -> Operand? {
        if random.once(in: 12) { return nil }
        if random.once(in: 40) { return Operand(type: .sequence(.tensor(tensorType(&random))), value: nil) }
        if random.once(in: 80) { return Operand(type: .optional(.tensor(tensorType(&random))), value: nil) }
        return filled(tensorType(&random), &random)
    }

    private func filled(_ type: TensorType, _ random: inout SeededRandom) -> Operand {
        let isConstant = type.element == .float32 ? random.once(in: 3) : !random.once(in: 3)
        return Operand(
            type: .tensor(type),
            value: isConstant ? HostileValues.tensor(type, byteLimit: 1 << 14, &random) : nil)
    }

    private func tensorType(_ random: inout SeededRandom) -> TensorType {
        let integers = random.once(in: 4)
        let element = integers ? random.one(of: [.int64, .int64, .int32, .bool, .uint8]) : element
        let rank = random.one(of: [0, 1, 2, 3, 4, 4, 4, 4, 5])
        var extents = Array(base[..<rank])
        if integers || random.once(in: 4) { extents = extents.map { _ in random.one(of: base + [1, 4]) } }
        if random.once(in: 24), rank > 0 {
            extents[Int.random(in: 0..<rank, using: &random)] = max(0, HostileValues.extent(&random))
        }
        return TensorType(element, extents: extents)
    }

    /// Changes one operand so that what is said of it may no longer hold.
    mutating func mend(_ misfit: Misfit, _ random: inout SeededRandom) {
        switch misfit {
        case .rank(_, let expected, let got):
            guard let rank = firstNumber(expected), rank < 9 else { return guess(&random) }
            change(&random, where: { $0.shape?.rank == got }) { type, random in
                let old = type.extents ?? []
                type.shape = Shape((0..<rank).map { $0 < old.count ? old[$0] : $0 % 3 + 1 })
            }
        case .extent(_, let axis, let expected, let got, _):
            guard let extent = firstNumber(expected) else { return guess(&random) }
            change(
                &random,
                where: {
                    axis >= 0 && axis < ($0.shape?.rank ?? 0) && "\($0.shape?[axis] ?? .unknown)" == got
                }
            ) {
                type, _ in type.shape?[axis] = .fixed(extent)
            }
        case .element(_, let expected, let got):
            let words = expected.split(separator: " ")
            let wanted = ElementType.allCases.filter { words.contains($0.description[...]) }
            guard !wanted.isEmpty else { return guess(&random) }
            change(&random, where: { $0.element == got }) { type, random in
                type.element = random.one(of: wanted)
            }
        case .missing: operands.append(operand(&random))
        default: guess(&random)
        }
    }

    private func firstNumber(_ text: String) -> Int? {
        text.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
    }

    private mutating func guess(_ random: inout SeededRandom) {
        switch Int.random(in: 0..<5, using: &random) {
        case 0: operands.append(operand(&random))
        case 1: if operands.count > 1 { operands.removeLast() }
        default:
            guard !operands.isEmpty else { return }
            operands[Int.random(in: 0..<operands.count, using: &random)] = operand(&random)
        }
    }

    private mutating func change(
        _ random: inout SeededRandom, where fits: (TensorType) -> Bool,
        _ edit: (inout TensorType, inout SeededRandom) -> Void
    ) {
        let places = operands.indices.filter { operands[$0]?.type.tensor.map(fits) ?? false }
        guard let place = places.randomElement(using: &random), var type = operands[place]?.type.tensor else {
            return guess(&random)
        }
        edit(&type, &random)
        operands[place] = filled(type, &random)
    }
}
