internal import DCNGraph

extension Activation {
    /// The function as an operator of its own, with the constants that it reads besides x; nil where there is none.
    private var plain: (op: any Operator, constants: [Double])? {
        switch function {
        case .none: nil
        case .relu: (Relu(), [])
        case .clip: (Clip(), [Double(alpha), Double(beta)])
        case .leakyRelu: (LeakyRelu(alpha: alpha), [])
        case .sigmoid: (Sigmoid(), [])
        case .silu: (Swish(), [])
        case .hardSigmoid: (HardSigmoid(alpha: alpha, beta: beta), [])
        case .hardSwish: (HardSwish(), [])
        case .tanh: (Tanh(), [])
        case .gelu: (Gelu(), [])
        case .geluTanh: (Gelu(isApproximate: true), [])
        case .mish: (Mish(), [])
        case .elu: (Elu(alpha: alpha), [])
        }
    }

    /// activation(sums + residual), where the sums come from a kernel that does neither.
    func finished(_ sums: Datum, residual: Datum?, in scope: any Scope) throws(Misfit) -> Datum {
        var result = sums
        if let residual { result = try performOne(Add(), [result, residual], in: scope) }
        guard let plain, let element = result.tensor?.type.element else { return result }
        let constants = plain.constants.map { scalarTensor($0, element).map(Datum.tensor) }
        return try performOne(plain.op, [result] + constants, in: scope)
    }
}
