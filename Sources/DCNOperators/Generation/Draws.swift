package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One with the probability that each element says, else zero. NaN says never.
package struct Bernoulli: Operator {
    package static let name = "Bernoulli"
    /// The type to make; nil: that of the input.
    package var element: ElementType?
    /// What the random numbers begin with; nil takes others each time.
    package var seed: Int?
    package init(element: ElementType? = nil, seed: Int? = nil) {
        self.element = element
        self.seed = seed
    }

    package var isPure: Bool { false }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect(.floats)
        let made = element ?? x.element
        guard ([ElementType].numbers + [.bool]).contains(made) else {
            throw .element(of: "the output", expected: "a number or bool", got: made)
        }
        return [.tensor(TensorType(made, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                guard let x = inputs.first??.tensor?.aligned() else { throw .missing("input") }
                let reader = try ElementReader(x.type.element)
                let writer = try ElementWriter(element ?? x.type.element)
                let output = try scope.allocate(TensorType(writer.element, extents: x.extents))
                var random = MersenneTwister(seed: seed)
                for index in 0..<x.count {
                    let isOne = random.nextUnit() < reader.number(x.base, index)
                    writer.store(writer.bits(of: isOne ? 1 : 0), output.storage.base, index)
                }
                return [.tensor(output.finished)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = []
        if let element { attributes.append(("dtype", .int(element.rawValue))) }
        if let seed { attributes.append(("seed", .float(Float(seed)))) }
        return WrittenNode(Self.name, attributes, since: 15)
    }
}

/// Classes drawn with the probabilities whose logarithms each row of the input holds, up to a constant. A row with
/// NaN or +∞, or of −∞ alone, gives its last class.
package struct Multinomial: Operator {
    package static let name = "Multinomial"
    /// int32 or int64.
    package var element: ElementType
    /// How many classes are drawn for each row.
    package var count: Int
    /// What the random numbers begin with; nil takes others each time.
    package var seed: Int?
    package init(element: ElementType = .int32, count: Int = 1, seed: Int? = nil) {
        self.element = element
        self.count = count
        self.seed = seed
    }

    package var isPure: Bool { false }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input", rank: 2)
        try x.expect(.floats)
        guard count > 0 else { throw .attribute("sample_size", because: "is \(count), expected at least 1") }
        guard element == .int32 || element == .int64 else {
            throw .attribute("dtype", because: "is \(element), expected int32 or int64")
        }
        return [.tensor(TensorType(element, [x.dimension(0), .fixed(count)]))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                guard let x = inputs.first??.tensor?.aligned() else { throw .missing("input") }
                let (rows, classes) = (x.extents[0], x.extents[1])
                guard classes > 0 || rows == 0 else {
                    throw .value(of: "input", because: "has no class to draw")
                }
                let reader = try ElementReader(x.type.element)
                let writer = try ElementWriter(element)
                let output = try scope.allocate(TensorType(element, extents: [rows, count]))
                var random = MersenneTwister(seed: seed)
                for row in 0..<rows {
                    let sums = cumulated((0..<classes).map { reader.number(x.base, row * classes + $0) })
                    for draw in 0..<count {
                        let place = random.nextUnit() * (sums.last ?? 0)
                        let drawn = sums.firstIndex { place < $0 } ?? classes - 1
                        writer.store(UInt64(drawn), output.storage.base, row * count + draw)
                    }
                }
                return [.tensor(output.finished)]
            })
    }

    private func cumulated(_ logarithms: [Double]) -> [Double] {
        let greatest = logarithms.max() ?? 0
        var sum = 0.0
        return logarithms.map { logarithm in
            sum += exp(logarithm - greatest)
            return sum
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)] = [
            ("dtype", .int(element.rawValue)), ("sample_size", .int(count)),
        ]
        if let seed { attributes.append(("seed", .float(Float(seed)))) }
        return WrittenNode(Self.name, attributes)
    }
}
