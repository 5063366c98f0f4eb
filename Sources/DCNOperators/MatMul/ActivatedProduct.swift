package import DCNGraph

/// A product of matrices, then a function that no kernel of products applies by itself.
package struct ActivatedProduct: Operator {
    package static let name = "ActivatedProduct"
    /// Which function.
    package enum Function: String, Sendable, Hashable, Codable {
        case selu = "Selu", softplus = "Softplus", softsign = "Softsign", thresholdedRelu = "ThresholdedRelu"
    }
    /// The product.
    package var product: MatMul
    /// What is applied to each result.
    package var function: Function
    /// The function's slope or threshold; nil: its own default.
    package var alpha: Float?
    /// The function's factor; nil: its own default.
    package var gamma: Float?

    package init(_ product: MatMul, _ function: Function, alpha: Float? = nil, gamma: Float? = nil) {
        self.product = product
        self.function = function
        self.alpha = alpha
        self.gamma = gamma
    }

    private var map: any Operator {
        switch function {
        case .selu: Selu(alpha: alpha ?? Selu().alpha, gamma: gamma ?? Selu().gamma)
        case .softplus: Softplus()
        case .softsign: Softsign()
        case .thresholdedRelu: ThresholdedRelu(alpha: alpha ?? ThresholdedRelu().alpha)
        }
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        try map.outputTypes(for: Inputs(try product.outputTypes(for: inputs)))
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let (product, map) = (product, map)
        return .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                [try performOne(map, [try performOne(product, inputs, in: scope)], in: scope)]
            })
    }

    package func multiplyAdds(inputs: [ValueType?], outputs: [ValueType?]) -> Int {
        product.multiplyAdds(inputs: inputs, outputs: outputs)
    }
}
