internal import DCNGraph
internal import DCNOperators

/// An operator whose kernel can apply a function to each result before it is stored.
protocol Activating: Operator {
    var activation: Activation { get set }
    /// Position of the operand that is added before the activation.
    static var residualInput: Int? { get }
}

extension Conv: Activating { static let residualInput: Int? = 3 }
extension MatMul: Activating { static let residualInput: Int? = 3 }
extension DeformConv: Activating { static let residualInput: Int? = 5 }

/// What an elementwise node is, as an activation; nil where it is none of them.
func activation(of op: any Operator, _ node: Node, _ graph: Graph) -> Activation? {
    func bound(_ index: Int, missing: Float) -> Float? {
        guard index < node.inputs.count, let value = node.inputs[index] else { return missing }
        guard let tensor = graph[value].constant?.tensor?.aligned(), tensor.type.element == .float32 else {
            return nil
        }
        return tensor.elements(as: Float.self).first
    }
    switch op {
    case is Relu: return Activation(.relu)
    case let op as LeakyRelu: return Activation(.leakyRelu, alpha: op.alpha)
    case is Sigmoid: return Activation(.sigmoid)
    case is Tanh: return Activation(.tanh)
    case is HardSwish: return Activation(.hardSwish)
    case let op as HardSigmoid: return Activation(.hardSigmoid, alpha: op.alpha, beta: op.beta)
    case is Mish: return Activation(.mish)
    case let op as Elu: return Activation(.elu, alpha: op.alpha)
    case let op as Swish where op.alpha == 1: return Activation(.silu)
    case let op as Gelu: return Activation(op.isApproximate ? .geluTanh : .gelu)
    case is Clip:
        guard let low = bound(1, missing: -.infinity), let high = bound(2, missing: .infinity), low <= high
        else { return nil }
        return Activation(.clip, alpha: low, beta: high)
    default: return nil
    }
}
