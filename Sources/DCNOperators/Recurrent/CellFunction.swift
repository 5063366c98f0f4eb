internal import DCNGraph

/// A function inside the cell of a recurrent network.
package struct CellFunction: Sendable, Hashable, Codable {
    /// Which function.
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case relu, tanh, sigmoid, affine, leakyRelu, thresholdedRelu, scaledTanh, hardSigmoid, elu, softsign,
            softplus
    }
    /// Which function.
    package var kind: Kind
    /// Its first parameter: slope, scale or threshold.
    package var alpha: Double
    /// Its second parameter: shift, or scale of the argument.
    package var beta: Double

    /// A function with its standard parameters.
    package init(_ kind: Kind) {
        self.kind = kind
        switch kind {
        case .leakyRelu: (alpha, beta) = (Double(Float(0.01)), 0)
        case .hardSigmoid: (alpha, beta) = (Double(Float(0.2)), 0.5)
        case .scaledTanh: (alpha, beta) = (1, 1)
        default: (alpha, beta) = (1, 0)
        }
    }

    var hasAlpha: Bool {
        switch kind {
        case .affine, .leakyRelu, .thresholdedRelu, .scaledTanh, .hardSigmoid, .elu: true
        default: false
        }
    }

    var hasBeta: Bool { kind == .affine || kind == .scaledTanh || kind == .hardSigmoid }

    /// The function at a point.
    func callAsFunction(_ x: Double) -> Double {
        switch kind {
        case .relu: x > 0 ? x : x.isNaN ? x : 0
        case .tanh: hyperbolicTangent(x)
        case .sigmoid: logistic(x)
        case .affine: alpha * x + beta
        case .leakyRelu: x < 0 ? alpha * x : x
        case .thresholdedRelu: x < alpha ? 0 : x
        case .scaledTanh: alpha * hyperbolicTangent(beta * x)
        case .hardSigmoid: clamped(alpha * x + beta)
        case .elu: x < 0 ? alpha * exponentialLessOne(x) : x
        case .softsign: x.isInfinite ? (x < 0 ? -1 : 1) : x / (1 + abs(x))
        case .softplus: softplus(x)
        }
    }
}

extension CellFunction {
    /// The functions a node names, each with its parameters; the standard ones where it names none.
    static func read(_ node: SourceNode, standard: [Kind], directions: Int) throws(Misfit) -> [CellFunction] {
        var names = try node.optionalStrings("activations") ?? []
        var alphas = (try node.optionalFloats("activation_alpha") ?? [])[...]
        var betas = (try node.optionalFloats("activation_beta") ?? [])[...]
        guard !names.isEmpty else { return (0..<directions).flatMap { _ in standard.map(CellFunction.init) } }
        // The standard's own default names RNN's function for two directions, whatever their number.
        if node.opType == "RNN", directions == 1, names.count == 2 { names.removeLast() }
        guard names.count == standard.count * directions else {
            throw .attribute(
                "activations", because: "has \(names.count) names, expected \(standard.count * directions)")
        }
        var functions: [CellFunction] = []
        for name in names {
            guard
                let kind = Kind.allCases.first(where: { $0.rawValue.lowercased() == name.text.lowercased() })
            else {
                throw .attribute("activations", because: "names '\(escaped(name.text))'")
            }
            var function = CellFunction(kind)
            if function.hasAlpha, let alpha = alphas.popFirst() { function.alpha = Double(alpha) }
            if function.hasBeta, let beta = betas.popFirst() { function.beta = Double(beta) }
            functions.append(function)
        }
        return functions
    }
}
