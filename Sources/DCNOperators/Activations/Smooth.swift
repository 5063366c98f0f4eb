internal import CKernels
package import DCNGraph

/// y = 1 / (1 + e^−x), 0 at −∞ and 1 at ∞; NaN stays.
package struct Sigmoid: UnaryMap {
    package static let name = "Sigmoid"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SIGMOID) }
    package func value(_ x: Double) -> Double { logistic(x) }
}

/// y = min(max(alpha x + beta, 0), 1); NaN stays.
package struct HardSigmoid: UnaryMap {
    package static let name = "HardSigmoid"
    package static let cost = 1
    /// The slope in the middle.
    package var alpha: Float
    /// The value at zero.
    package var beta: Float
    package init(alpha: Float = 0.2, beta: Float = 0.5) {
        self.alpha = alpha
        self.beta = beta
    }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_HARD_SIGMOID, alpha, beta) }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("alpha", .float(alpha)), ("beta", .float(beta))]
    }
    package func value(_ x: Double) -> Double { clamped(Double(alpha) * x + Double(beta)) }
}

/// y = x min(max(x / 6 + 1/2, 0), 1), 0 at −∞; NaN stays.
package struct HardSwish: UnaryMap {
    package static let name = "HardSwish"
    package static let since = 14
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_HARD_SWISH) }
    package func value(_ x: Double) -> Double { x <= -3 ? 0 : x * clamped(x / 6 + 0.5) }
}

/// y = x / (1 + e^−(alpha x)), 0 at −∞ where alpha > 0; NaN stays.
package struct Swish: UnaryMap {
    package static let name = "Swish"
    package static let since = 24
    /// How steeply y turns from 0 to x.
    package var alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SILU, alpha) }
    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }
    package func value(_ x: Double) -> Double {
        let factor = logistic(Double(alpha) * x)
        return factor == 0 ? 0 : x * factor
    }
}

/// y = tanh x, ±1 at ±∞; NaN stays.
package struct Tanh: UnaryMap {
    package static let name = "Tanh"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_TANH) }
    package func value(_ x: Double) -> Double { hyperbolicTangent(x) }
}

/// y = ln(1 + e^x), 0 at −∞; NaN stays.
package struct Softplus: UnaryMap {
    package static let name = "Softplus"
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SOFTPLUS) }
    package func value(_ x: Double) -> Double { softplus(x) }
}

/// y = x / (1 + |x|), ±1 at ±∞; NaN stays.
package struct Softsign: UnaryMap {
    package static let name = "Softsign"
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SOFTSIGN) }
    package func value(_ x: Double) -> Double { x.isInfinite ? (x < 0 ? -1 : 1) : x / (1 + abs(x)) }
}

/// y = x tanh(ln(1 + e^x)), 0 at −∞; NaN stays.
package struct Mish: UnaryMap {
    package static let name = "Mish"
    package static let since = 18
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_MISH) }
    package func value(_ x: Double) -> Double { x == -.infinity ? 0 : x * hyperbolicTangent(softplus(x)) }
}
