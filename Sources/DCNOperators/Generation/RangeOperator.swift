package import DCNGraph

/// start, start + delta, start + 2 delta, … up to, not including, limit. Bounds that are not finite, and a delta of 0
/// or NaN, are errors; an infinite one gives nothing.
package struct RangeOperator: Operator {
    package static let name = "Range"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let start = try inputs.required(0, "start")
        let limit = try inputs.required(1, "limit")
        let delta = try inputs.required(2, "delta")
        try start.expect(.floats + [.int16, .int32, .int64])
        for operand in [limit, delta] { try operand.expectSameElement(as: start) }
        for operand in [start, limit, delta] {
            guard let count = operand.type.elementCount, count != 1 else { continue }
            throw .value(of: operand.name, because: "has \(count) elements, expected one")
        }
        guard let values = Self.values([start.constant, limit.constant, delta.constant]) else {
            return [.tensor(TensorType(start.element, [.unknown]))]
        }
        return [.tensor(TensorType(start.element, [.fixed(try values.count())]))]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] {
        guard inputs.count == 3,
            case .integers(let start, let limit, let delta)? =
                Self.values(inputs.constants.map { $0?.tensor }),
            let count = try? Progression.integers(start, limit, delta).count(), count <= 1024
        else { return [nil] }
        return [(0..<count).map { .fixed(Int(start) + $0 * Int(delta)) }]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let tensors = inputs.map { $0?.tensor }
                guard tensors.count == 3, let values = Self.values(tensors), let first = tensors[0] else {
                    throw .missing("an operand")
                }
                let writer = try ElementWriter(first.type.element)
                let output = try scope.allocate(TensorType(first.type.element, extents: [try values.count()]))
                values.fill(output.storage.base, count: output.type.elementCount ?? 0, writer)
                return [.tensor(output.finished)]
            })
    }

    /// The progression that three one-element tensors describe; nil while one of them is not known.
    private static func values(_ tensors: [Tensor?]) -> Progression? {
        let known = tensors.compactMap { $0 }
        guard known.count == 3, known.allSatisfy({ $0.count == 1 }) else { return nil }
        if known[0].type.element.isInteger {
            let integers = known.compactMap { $0.integers?.first }
            guard integers.count == 3 else { return nil }
            return .integers(Int64(integers[0]), Int64(integers[1]), Int64(integers[2]))
        }
        let numbers = known.compactMap(firstNumber)
        guard numbers.count == 3 else { return nil }
        return .numbers(numbers[0], numbers[1], numbers[2], isSingle: known[0].type.element != .float64)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 11)
    }
}

/// The numbers of a range: start, limit, delta.
private enum Progression {
    case integers(Int64, Int64, Int64)
    case numbers(Double, Double, Double, isSingle: Bool)

    /// How many numbers there are.
    func count() throws(Misfit) -> Int {
        switch self {
        case .integers(_, _, 0): throw .value(of: "delta", because: "is 0")
        case .integers(let start, let limit, let delta):
            guard (limit > start) == (delta > 0), limit != start else { return 0 }
            let distance =
                limit > start ? limit.distanceMagnitude(from: start) : start.distanceMagnitude(from: limit)
            let (quotient, rest) = distance.quotientAndRemainder(dividingBy: delta.magnitude)
            return try Self.bounded(Double(quotient)) + (rest > 0 ? 1 : 0)
        case .numbers(let start, let limit, let delta, let isSingle):
            guard delta != 0, start.isFinite, limit.isFinite, !delta.isNaN else {
                throw .value(
                    of: "range", because: "runs from \(start) to \(limit) by \(delta), which never ends")
            }
            let steps =
                isSingle ? Double((Float(limit) - Float(start)) / Float(delta)) : (limit - start) / delta
            return try Self.bounded(max(0, steps.rounded(.up)))
        }
    }

    private static func bounded(_ count: Double) throws(Misfit) -> Int {
        let limit = 1 << 40
        guard count < Double(limit) else {
            throw .limit(of: "the length of a range", asked: Int(exactly: count) ?? Int.max, limit: limit)
        }
        return Int(count)
    }

    func fill(_ base: UnsafeMutableRawPointer, count: Int, _ writer: ElementWriter) {
        switch self {
        case .integers(let start, _, let delta):
            for index in 0..<count {
                writer.store(writer.bits(of: start &+ Int64(index) &* delta, isUnsigned: false), base, index)
            }
        case .numbers(let start, _, let delta, let isSingle):
            for index in 0..<count {
                let number =
                    isSingle
                    ? Double(Float(start) + Float(index) * Float(delta)) : start + Double(index) * delta
                writer.store(writer.bits(of: number), base, index)
            }
        }
    }
}

extension Int64 {
    /// self − other, other being no greater.
    fileprivate func distanceMagnitude(from other: Int64) -> UInt64 {
        UInt64(bitPattern: self &- other)
    }
}
