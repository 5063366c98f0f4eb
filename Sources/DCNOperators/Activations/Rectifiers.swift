internal import CKernels
package import DCNGraph

/// y = max(x, 0); NaN stays.
package struct Relu: UnaryMap {
    package static let name = "Relu"
    package static let elements = [ElementType].signedNumbers
    package static let cost = 1
    package init() {}
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_RELU) }
    package func value(_ x: Double) -> Double { x < 0 ? 0 : x }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { max(x, 0) }
}

/// y = x for x ≥ 0, alpha x below; NaN stays.
package struct LeakyRelu: UnaryMap {
    package static let name = "LeakyRelu"
    package static let cost = 1
    /// The slope below zero.
    package var alpha: Float
    package init(alpha: Float = 0.01) { self.alpha = alpha }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_LEAKY_RELU, alpha) }
    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }
    package func value(_ x: Double) -> Double { x < 0 ? Double(alpha) * x : x }
}

/// y = x for x > alpha, 0 elsewhere; NaN stays.
package struct ThresholdedRelu: UnaryMap {
    package static let name = "ThresholdedRelu"
    package static let since = 10
    package static let cost = 1
    /// Where y begins to follow x.
    package var alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_THRESHOLDED_RELU, alpha) }
    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }
    package func value(_ x: Double) -> Double { x <= Double(alpha) ? 0 : x }
}

/// y = x for x ≥ 0, alpha (e^x − 1) below, −alpha at −∞; NaN stays.
package struct Elu: UnaryMap {
    package static let name = "Elu"
    /// The negative of the bound below.
    package var alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_ELU, alpha) }
    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }
    package func value(_ x: Double) -> Double { x < 0 ? Double(alpha) * exponentialLessOne(x) : x }
}

/// y = gamma x for x > 0, gamma alpha (e^x − 1) elsewhere, −gamma alpha at −∞; NaN stays.
package struct Selu: UnaryMap {
    package static let name = "Selu"
    /// Scale of the exponential part.
    package var alpha: Float
    /// Scale of all.
    package var gamma: Float
    package init(alpha: Float = 1.673_263_2, gamma: Float = 1.050_701) {
        self.alpha = alpha
        self.gamma = gamma
    }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SELU, alpha, gamma) }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("alpha", .float(alpha)), ("gamma", .float(gamma))]
    }
    package func value(_ x: Double) -> Double {
        Double(gamma) * (x > 0 ? x : Double(alpha) * exponentialLessOne(x))
    }
}

/// y = max(0, x) + min(0, alpha (e^(x / alpha) − 1)), −alpha at −∞ where alpha > 0; NaN stays.
package struct Celu: UnaryMap {
    package static let name = "Celu"
    package static let since = 12
    /// The negative of the bound below; not 0.
    package var alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_CELU, alpha) }
    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }
    package func validate() throws(Misfit) {
        guard alpha == 0 else { return }
        throw .attribute("alpha", because: "is 0, and x is divided by it")
    }
    package func value(_ x: Double) -> Double {
        let alpha = Double(alpha)
        let below = alpha * exponentialLessOne(x / alpha)
        return x.isNaN ? x : max(0, x) + min(0, below)
    }
}

/// y = x + bias for x < −lambda, x − bias for x > lambda, 0 between; NaN stays.
package struct Shrink: UnaryMap {
    package static let name = "Shrink"
    package static let elements = [ElementType.float32, .float64, .float16] + .integers
    package static let since = 9
    package static let cost = 1
    /// How far what is outside moves towards zero.
    package var bias: Float
    /// Half the width of what becomes zero.
    package var lambda: Float
    package init(bias: Float = 0, lambda: Float = 0.5) {
        self.bias = bias
        self.lambda = lambda
    }
    package var vectorMap: VectorMap? { VectorMap(DCN_UNARY_SHRINK, lambda, bias) }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("bias", .float(bias)), ("lambd", .float(lambda))]
    }
    package func value(_ x: Double) -> Double {
        if x < -Double(lambda) { return x + Double(bias) }
        return x > Double(lambda) ? x - Double(bias) : x.isNaN ? x : 0
    }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { clampedInteger(value(Double(x))) }
}
