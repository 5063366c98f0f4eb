internal import CKernels
internal import DCNGraph

/// How the weights of a convolution are packed, and what they were before.
package struct WeightForm: Sendable, Hashable, Codable {
    /// The forms there are; the version in a name changes when the bytes do.
    package enum Form: String, Sendable, Hashable, Codable {
        case direct = "direct-1"
        case narrow = "narrow-1"
        case rows = "rows-1"
        case planes = "planes-1"
        case planesWinograd = "planes-winograd-1"
        case winograd2 = "winograd2-1"
        case winogradPairs = "winograd-pairs-1"
        case winograd3 = "winograd3-1"
        case winograd4 = "winograd4-1"
        case winograd4Strided = "winograd4-strided-1"
        case winograd6 = "winograd6-1"
        case deform = "deform-1"
        case deformStrassen1 = "deform-strassen1-1"
        case deformStrassen2 = "deform-strassen2-1"
    }

    /// The form.
    package var form: Form
    /// Extents of the weights before packing.
    package var extents: [Int]

    var code: dcn_conv_form {
        switch form {
        case .direct, .deform, .deformStrassen1, .deformStrassen2: DCN_CONV_DIRECT
        case .narrow: DCN_CONV_NARROW
        case .rows: DCN_CONV_ROWS
        case .planes: DCN_CONV_PLANES
        case .planesWinograd: DCN_CONV_WINOGRAD_PLANES
        case .winograd2: DCN_CONV_WINOGRAD_2
        case .winogradPairs: DCN_CONV_WINOGRAD_PAIRS
        case .winograd3: DCN_CONV_WINOGRAD_3
        case .winograd4: DCN_CONV_WINOGRAD_4
        case .winograd4Strided: DCN_CONV_WINOGRAD_4_STRIDED
        case .winograd6: DCN_CONV_WINOGRAD_6
        }
    }

    /// Whether the image is read plane by plane, row major: that of a first layer.
    var readsPlanes: Bool { form == .planes || form == .planesWinograd }

    /// What runs where the result lies so.
    func code(for layout: Layout) -> dcn_conv_form {
        switch form {
        case .planes where layout == .rowMajor: DCN_CONV_PLANES_OUT
        case .planesWinograd where layout == .rowMajor: DCN_CONV_WINOGRAD_PLANES_OUT
        case .narrow where layout == .rowMajor: DCN_CONV_DEPTHWISE_PLANES
        default: code
        }
    }

    init(_ code: dcn_conv_form, extents: [Int]) {
        self.extents = extents
        switch code {
        case DCN_CONV_NARROW: form = .narrow
        case DCN_CONV_ROWS: form = .rows
        case DCN_CONV_PLANES: form = .planes
        case DCN_CONV_WINOGRAD_PLANES: form = .planesWinograd
        case DCN_CONV_WINOGRAD_2: form = .winograd2
        case DCN_CONV_WINOGRAD_PAIRS: form = .winogradPairs
        case DCN_CONV_WINOGRAD_3: form = .winograd3
        case DCN_CONV_WINOGRAD_4: form = .winograd4
        case DCN_CONV_WINOGRAD_4_STRIDED: form = .winograd4Strided
        case DCN_CONV_WINOGRAD_6: form = .winograd6
        default: form = .direct
        }
    }

    /// Packed weights of deformable convolutions, for so many levels of Strassen's scheme.
    package init(deform extents: [Int], levels: Int32 = 0) {
        form = levels == 0 ? .deform : levels == 1 ? .deformStrassen1 : .deformStrassen2
        self.extents = extents
    }

    /// Levels of Strassen's scheme.
    var levels: Int32 {
        switch form {
        case .deformStrassen1: 1
        case .deformStrassen2: 2
        default: 0
        }
    }
}

extension Accuracy {
    var code: dcn_accuracy {
        switch self {
        case .exact: DCN_ACCURACY_EXACT
        case .default: DCN_ACCURACY_DEFAULT
        case .fast: DCN_ACCURACY_FAST
        }
    }
}

extension Call {
    /// Throws unless there are as many packed weights as a plan reads.
    func expectPacked(_ planned: Int, because reason: String = "packed") throws(Misfit) {
        guard let count = try input(1).elementCount, count != planned else { return }
        throw .extent(of: "weight", axis: 0, expected: "\(planned)", got: "\(count)", because: reason)
    }
}

/// A bias as kernels read it: padded with zeros to the channel block.
func paddedBias(_ bias: Tensor) -> Tensor {
    let values = bias.elements(as: Float.self)
    return Tensor(vector: values + Array(repeating: 0, count: paddedChannels(values.count) - values.count))
}

/// A tensor of floats that `fill` writes, aligned to a cache line.
func floats(count: Int, _ fill: (UnsafeMutablePointer<Float>) -> Void) -> Tensor? {
    guard count >= 0, let tensor = MutableTensor(uninitialised: TensorType(.float32, extents: [count])) else {
        return nil
    }
    if let base = tensor.elements(as: Float.self).baseAddress { fill(base) }
    return tensor.finished
}
