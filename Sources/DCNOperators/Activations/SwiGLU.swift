package import DCNGraph

/// y = a / (1 + e^−(alpha a)) · b, both operands of one shape. The gate is 0 at −∞ where alpha > 0; NaN stays, and 0
/// · ∞ is NaN.
package struct SwiGLU: PairMap {
    package static let name = "SwiGLU"
    package static let elements: [ElementType] = .floats
    package static let since = 28
    /// How steeply the gate opens.
    package var alpha: Float
    package init(alpha: Float = 1) { self.alpha = alpha }

    package var attributes: [(name: String, value: SourceAttribute)] { [("alpha", .float(alpha))] }

    package func shape(_ a: Operand, _ b: Operand) throws(Misfit) -> Shape? {
        guard let shape = a.shape, b.shape != nil else { return a.shape ?? b.shape }
        try b.expectRank(shape.rank)
        for axis in 0..<shape.rank { try b.expect(shape[axis], along: axis, because: "as A") }
        return shape
    }

    package func value(_ a: Double, _ b: Double) -> Double {
        let gate = logistic(Double(alpha) * a)
        return (gate == 0 ? 0 : a * gate) * b
    }
}
