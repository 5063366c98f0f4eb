package import DCNGraph

/// A tensor of random numbers, of a stated shape or of the shape of an operand.
package struct RandomTensor: Operator {
    package static let name = "RandomTensor"

    /// How the numbers are distributed.
    package enum Distribution: Sendable, Hashable, Codable {
        case normal(mean: Float, deviation: Float)
        case uniform(low: Float, high: Float)
    }

    /// How the numbers are distributed.
    package var distribution: Distribution
    /// The shape; nil: that of the operand.
    package var extents: [Int]?
    /// The type; nil: that of the operand.
    package var element: ElementType?
    /// What the numbers begin with; nil takes others each time.
    package var seed: Int?
    package init(_ distribution: Distribution, extents: [Int]?, element: ElementType?, seed: Int?) {
        self.distribution = distribution
        self.extents = extents
        self.element = element
        self.seed = seed
    }

    package var isPure: Bool { false }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        var type = TensorType(element ?? .float32, extents.map { Shape($0) })
        if let extents {
            guard elementCount(of: extents) != nil else {
                throw .attribute("shape", because: "is \(extents), expected extents of at least 0")
            }
        } else {
            let like = try inputs.required(0, "input")
            type = TensorType(element ?? like.element, like.type.shape)
        }
        guard [ElementType].floats.contains(type.element) else {
            throw .element(of: "the output", expected: "a float", got: type.element)
        }
        return [.tensor(type)]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let types = try boundedOutputTypes(for: Inputs(inputs.map { $0?.type }))
                guard let type = types.first?.tensor else { throw .missing("the shape of the output") }
                let output = try scope.allocate(type)
                let writer = try ElementWriter(type.element)
                var random = MersenneTwister(seed: seed)
                for index in 0..<(type.elementCount ?? 0) {
                    writer.store(writer.bits(of: next(&random)), output.storage.base, index)
                }
                return [.tensor(output.finished)]
            })
    }

    private func next(_ random: inout MersenneTwister) -> Double {
        switch distribution {
        case .normal(let mean, let deviation): Double(mean) + Double(deviation) * random.nextNormal()
        case .uniform(let low, let high): Double(low) + (Double(high) - Double(low)) * random.nextUnit()
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        var attributes: [(name: String, value: SourceAttribute)]
        let suffix = extents == nil ? "Like" : ""
        let opType: String
        switch distribution {
        case .normal(let mean, let deviation):
            opType = "RandomNormal" + suffix
            attributes = [("mean", .float(mean)), ("scale", .float(deviation))]
        case .uniform(let low, let high):
            opType = "RandomUniform" + suffix
            attributes = [("low", .float(low)), ("high", .float(high))]
        }
        if let extents { attributes.append(("shape", .ints(extents))) }
        if let element { attributes.append(("dtype", .int(element.rawValue))) }
        if let seed { attributes.append(("seed", .float(Float(seed)))) }
        return WrittenNode(opType, attributes)
    }
}
