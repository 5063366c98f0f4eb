internal import CKernels

/// A function of one number that a kernel applies before it stores a result: up to rounding what the operator of its name
/// gives, of NaN and infinities too.
package struct Activation: Sendable, Hashable, Codable {
    /// Which function.
    package enum Function: String, Sendable, Hashable, Codable {
        case none, relu, clip, leakyRelu, sigmoid, silu, hardSigmoid, hardSwish, tanh, gelu, geluTanh, mish,
            elu
    }

    /// Which function.
    package var function = Function.none
    /// Its first parameter: lower bound or slope.
    package var alpha: Float = 0
    /// Its second parameter: upper bound or shift.
    package var beta: Float = 0

    /// A function with its parameters.
    package init(_ function: Function = .none, alpha: Float = 0, beta: Float = 0) {
        self.function = function
        self.alpha = alpha
        self.beta = beta
    }

    /// Nothing.
    package static let none = Activation()

    var code: dcn_activation {
        switch function {
        case .none: DCN_ACTIVATION_NONE
        case .relu: DCN_ACTIVATION_RELU
        case .clip: DCN_ACTIVATION_CLIP
        case .leakyRelu: DCN_ACTIVATION_LEAKY_RELU
        case .sigmoid: DCN_ACTIVATION_SIGMOID
        case .silu: DCN_ACTIVATION_SILU
        case .hardSigmoid: DCN_ACTIVATION_HARD_SIGMOID
        case .hardSwish: DCN_ACTIVATION_HARD_SWISH
        case .tanh: DCN_ACTIVATION_TANH
        case .gelu: DCN_ACTIVATION_GELU
        case .geluTanh: DCN_ACTIVATION_GELU_TANH
        case .mish: DCN_ACTIVATION_MISH
        case .elu: DCN_ACTIVATION_ELU
        }
    }
}
