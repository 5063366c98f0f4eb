package import DCNGraph

/// Vectors of length 1, times weights (OpenVINO's Normalize).
///
///     y = x / √(Σ x² + ε) · weight[c]            summed over channels, or over channels and the plane
///
/// Inputs: x `[N, C, …]`, weights `[C]` (any shape of C numbers), or one number. NaN makes all that is summed with it
/// NaN; an infinity becomes NaN, and the rest of its vector 0. A vector of zeros is NaN where ε is 0.
package struct L2Normalization: Composite {
    package static let name = "L2Normalization"
    /// ε.
    package var epsilon: Float
    /// Whether the sum is over the plane too.
    package var acrossPlane: Bool
    /// Whether there is one weight.
    package var sharesWeight: Bool

    package init(epsilon: Float, acrossPlane: Bool, sharesWeight: Bool) {
        self.epsilon = epsilon
        self.acrossPlane = acrossPlane
        self.sharesWeight = sharesWeight
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "data")
        let weights = try inputs.required(1, "weights")
        try x.expect(ElementType.reals + [.float16, .bfloat16])
        try weights.expectSameElement(as: x)
        if let rank = x.rank, rank < 2 { throw .rank(of: "data", expected: "2 or more", got: rank) }
        let expected = sharesWeight ? 1 : x.dimension(1).fixed
        if let expected, let count = weights.type.elementCount, count != expected {
            throw .value(of: "weights", because: "has \(count) numbers, expected \(expected)")
        }
        return [.tensor(x.type)]
    }
}
