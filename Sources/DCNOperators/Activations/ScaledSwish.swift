package import DCNGraph

/// y = x · σ(β · x), β an operand of one number. NaN at −∞, as a product with 0; NaN stays.
package struct ScaledSwish: Composite {
    package static let name = "ScaledSwish"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "data")
        let beta = try inputs.required(1, "beta")
        try x.expect(ElementType.reals + [.float16, .bfloat16])
        try beta.expectSameElement(as: x)
        guard beta.type.elementCount ?? 1 == 1 else {
            throw .value(of: "beta", because: "has shape \(beta.type), expected a scalar")
        }
        return [.tensor(x.type)]
    }
}
