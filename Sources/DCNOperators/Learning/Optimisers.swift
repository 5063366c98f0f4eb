package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// One step of a gradient method on any number of tensors.
///
/// Operands: the rate, the number of earlier steps, all tensors x, all their gradients, then all states of each kind.
/// Results: all new x, then all new states of each kind.
package protocol Optimiser: Operator {
    /// How many states each tensor has beside x and its gradient.
    static var stateCount: Int { get }
    /// The new x and states of one element; `values` holds x, gradient and states.
    func step(rate: Double, time: Double, _ values: [Double]) -> [Double]
    /// The attributes as ONNX spells them.
    var attributes: [(name: String, value: SourceAttribute)] { get }
}

extension Optimiser {
    private func tensorCount(_ inputs: Int) throws(Misfit) -> Int {
        let kinds = Self.stateCount + 2
        guard inputs > 2, (inputs - 2) % kinds == 0 else {
            throw .value(
                of: "the node", because: "has \(inputs) operands, expected 2 and \(kinds) for each tensor")
        }
        return (inputs - 2) / kinds
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let count = try tensorCount(inputs.count)
        try inputs.required(0, "R").expect([.float32, .float64])
        try inputs.required(1, "T").expect([.int64])
        var types: [ValueType] = []
        for index in 2..<inputs.count {
            let operand = try inputs.required(index, "input \(index)")
            let first = try inputs.required(2 + (index - 2) % count, "input \(2 + (index - 2) % count)")
            try operand.expect([.float32, .float64])
            try operand.expectSameElement(as: first)
            if let own = operand.type.extents, let expected = first.type.extents, own != expected {
                throw .kind(
                    of: operand.name, expected: "the shape of \(first.name), \(expected)", got: "\(own)")
            }
            if (index - 2) / count != 1 { types.append(.tensor(operand.type)) }
        }
        return types
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let tensors = inputs.compactMap { $0?.tensor?.aligned() }
                guard tensors.count == inputs.count, let rate = firstNumber(tensors[0]),
                    let time = firstNumber(tensors[1])
                else { throw .missing("an operand") }
                let count = try tensorCount(inputs.count)
                var outputs = [Datum?](repeating: nil, count: (Self.stateCount + 1) * count)
                for index in 0..<count {
                    let own = stride(from: 2 + index, to: tensors.count, by: count).map { tensors[$0] }
                    let results = try update(own, rate: rate, time: time, scope)
                    for (kind, result) in results.enumerated() {
                        outputs[kind * count + index] = .tensor(result)
                    }
                }
                return outputs
            })
    }

    private func update(
        _ tensors: [Tensor], rate: Double, time: Double, _ scope: any Scope
    ) throws(Misfit) -> [Tensor] {
        let type = tensors[0].type
        guard tensors.allSatisfy({ $0.type == type }) else {
            throw .kind(of: "a gradient or state", expected: "\(type) as its tensor", got: "another type")
        }
        let reader = try ElementReader(type.element)
        let writer = try ElementWriter(type.element)
        var outputs: [MutableTensor] = []
        for _ in 0...Self.stateCount { outputs.append(try scope.allocate(type)) }
        for index in 0..<tensors[0].count {
            let results = step(rate: rate, time: time, tensors.map { reader.number($0.base, index) })
            for (result, output) in zip(results, outputs) {
                writer.store(writer.bits(of: result), output.storage.base, index)
            }
        }
        return outputs.map(\.finished)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, attributes, domain: "ai.onnx.preview.training", since: 1)
    }
}

/// h' = h + g², x' = x − rate / (1 + time · decay) · g / (√h' + epsilon), g being the gradient plus norm · x.
package struct Adagrad: Optimiser {
    package static let name = "Adagrad"
    package static let stateCount = 1
    package var decay: Float
    package var epsilon: Float
    package var norm: Float
    package init(decay: Float = 0, epsilon: Float = 1e-6, norm: Float = 0) {
        (self.decay, self.epsilon, self.norm) = (decay, epsilon, norm)
    }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("decay_factor", .float(decay)), ("epsilon", .float(epsilon)), ("norm_coefficient", .float(norm))]
    }
    package func step(rate: Double, time: Double, _ values: [Double]) -> [Double] {
        let gradient = values[1] + Double(norm) * values[0]
        let square = values[2] + gradient * gradient
        let rate = rate / (1 + time * Double(decay))
        return [values[0] - rate * gradient / (square.squareRoot() + Double(epsilon)), square]
    }
}

/// v' = α v + (1 − α) g, h' = β h + (1 − β) g², x' = (1 − post) (x − r v' / (√h' + epsilon)), where
/// r = rate · √(1 − β^time) / (1 − α^time) after the first step and g is the gradient plus norm · x.
package struct Adam: Optimiser {
    package static let name = "Adam"
    package static let stateCount = 2
    package var alpha: Float
    package var beta: Float
    package var epsilon: Float
    package var norm: Float
    package var normAfter: Float
    package init(
        alpha: Float = 0.9, beta: Float = 0.999, epsilon: Float = 1e-6, norm: Float = 0, normAfter: Float = 0
    ) {
        (self.alpha, self.beta, self.epsilon) = (alpha, beta, epsilon)
        (self.norm, self.normAfter) = (norm, normAfter)
    }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [
            ("alpha", .float(alpha)), ("beta", .float(beta)), ("epsilon", .float(epsilon)),
            ("norm_coefficient", .float(norm)), ("norm_coefficient_post", .float(normAfter)),
        ]
    }
    package func step(rate: Double, time: Double, _ values: [Double]) -> [Double] {
        let (alpha, beta) = (Double(alpha), Double(beta))
        let gradient = values[1] + Double(norm) * values[0]
        let momentum = alpha * values[2] + (1 - alpha) * gradient
        let square = beta * values[3] + (1 - beta) * gradient * gradient
        let rate = time > 0 ? rate * (1 - pow(beta, time)).squareRoot() / (1 - pow(alpha, time)) : rate
        let moved = values[0] - rate * momentum / (square.squareRoot() + Double(epsilon))
        return [(1 - Double(normAfter)) * moved, momentum, square]
    }
}

/// v' = α v + β g (β being 1 in the first step), x' = x − rate · v', or Nesterov's x − rate (g + α v').
package struct Momentum: Optimiser {
    package static let name = "Momentum"
    package static let stateCount = 1
    package var alpha: Float
    package var beta: Float
    package var norm: Float
    package var isNesterov: Bool
    package init(alpha: Float, beta: Float, norm: Float, isNesterov: Bool) {
        (self.alpha, self.beta, self.norm, self.isNesterov) = (alpha, beta, norm, isNesterov)
    }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [
            ("alpha", .float(alpha)), ("beta", .float(beta)), ("norm_coefficient", .float(norm)),
            ("mode", .string(ByteString(isNesterov ? "nesterov" : "standard"))),
        ]
    }
    package func step(rate: Double, time: Double, _ values: [Double]) -> [Double] {
        let gradient = values[1] + Double(norm) * values[0]
        let momentum = Double(alpha) * values[2] + (time > 0 ? Double(beta) : 1) * gradient
        let direction = isNesterov ? gradient + Double(alpha) * momentum : momentum
        return [values[0] - rate * direction, momentum]
    }
}
