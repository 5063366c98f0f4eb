import CKernels
import Foundation

/// The convolution kernels of one instruction set, named for test output.
struct ConvKernels: CustomStringConvertible, Sendable {
    let name: String
    let isa: dcn_isa
    let table: dcn_conv_table
    var description: String { name }

    /// Every set this machine can run.
    static let available: [ConvKernels] = [
        ("baseline", DCN_ISA_BASELINE), ("avx2", DCN_ISA_AVX2), ("avx512", DCN_ISA_AVX512),
        ("amx", DCN_ISA_AMX),
        ("neon", DCN_ISA_NEON),
    ].compactMap { name, isa in
        dcn_conv_kernels(isa).map { ConvKernels(name: name, isa: isa, table: $0.pointee) }
    }

    /// This machine's caches, and ones so small that every cut is made.
    static let caches = [
        dcn_read_caches(), dcn_caches(level1: 4 << 10, level2: 32 << 10, level3: 128 << 10),
    ]
}

extension dcn_conv_form {
    /// Whether the input is row major, and the output.
    var readsPlanes: Bool {
        writesPlanes || self == DCN_CONV_PLANES || self == DCN_CONV_WINOGRAD_PLANES
    }
    var writesPlanes: Bool {
        [DCN_CONV_PLANES_OUT, DCN_CONV_DEPTHWISE_PLANES, DCN_CONV_WINOGRAD_PLANES_OUT].contains(self)
    }
}

/// Floats at a 64-byte boundary, with a guard behind them.
final class ConvBuffer {
    let count: Int
    let pointer: UnsafeMutablePointer<Float>
    private let raw: UnsafeMutableRawPointer
    private static let guardFloats = 16

    init(_ values: [Float]) {
        count = values.count
        raw = .allocate(byteCount: (count + Self.guardFloats) * 4, alignment: 64)
        pointer = raw.bindMemory(to: Float.self, capacity: count + Self.guardFloats)
        for (index, value) in values.enumerated() { pointer[index] = value }
        for index in 0..<Self.guardFloats { pointer[count + index] = 1234.5 }
    }

    convenience init(count: Int, of value: Float = .nan) { self.init(.init(repeating: value, count: count)) }

    deinit { raw.deallocate() }

    /// Nothing was written behind the end.
    var isGuarded: Bool { (0..<Self.guardFloats).allSatisfy { pointer[count + $0] == 1234.5 } }
    var values: [Float] { (0..<count).map { pointer[$0] } }
    subscript(_ index: Int) -> Float { pointer[index] }
}

/// An epilogue in double precision.
struct ConvEnd {
    var bias: [Float]?
    var residual: [Float]?
    var residualStride = 0
    var residualLast = false
    var activation = DCN_ACTIVATION_NONE
    var alpha: Float = 0, beta: Float = 0

    init() {}

    /// A random epilogue for `pixels` × `channels` outputs.
    init(_ noise: inout Noise, pixels: Int, channels: Int) {
        if noise.index(4) > 0 { bias = noise.floats(channels) }
        if noise.index(3) == 0 {
            residualStride = channels + noise.index(5)
            residual = noise.floats(pixels * residualStride)
            residualLast = noise.index(2) == 0
        }
        activation = Self.activations[noise.index(Self.activations.count)]
        alpha = activation == DCN_ACTIVATION_CLIP ? -0.5 : 0.2
        beta = 0.7
    }

    static let activations = [
        DCN_ACTIVATION_NONE, DCN_ACTIVATION_RELU, DCN_ACTIVATION_CLIP, DCN_ACTIVATION_LEAKY_RELU,
        DCN_ACTIVATION_SIGMOID, DCN_ACTIVATION_SILU, DCN_ACTIVATION_HARD_SIGMOID, DCN_ACTIVATION_HARD_SWISH,
        DCN_ACTIVATION_TANH, DCN_ACTIVATION_GELU, DCN_ACTIVATION_GELU_TANH, DCN_ACTIVATION_MISH,
        DCN_ACTIVATION_ELU,
    ]

    func activated(_ v: Double) -> Double {
        let alpha = Double(self.alpha), beta = Double(self.beta)
        switch activation {
        case DCN_ACTIVATION_RELU: return max(0, v)
        case DCN_ACTIVATION_CLIP: return min(beta, max(alpha, v))
        case DCN_ACTIVATION_LEAKY_RELU: return v < 0 ? alpha * v : v
        case DCN_ACTIVATION_SIGMOID: return 1 / (1 + exp(-v))
        case DCN_ACTIVATION_SILU: return v / (1 + exp(-v))
        case DCN_ACTIVATION_HARD_SIGMOID: return min(1, max(0, alpha * v + beta))
        case DCN_ACTIVATION_HARD_SWISH: return v * min(1, max(0, v / 6 + 0.5))
        case DCN_ACTIVATION_TANH: return tanh(v)
        case DCN_ACTIVATION_GELU: return v / 2 * erfc(-v / 2.squareRoot())
        case DCN_ACTIVATION_GELU_TANH:
            return v / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (v + 0.044715 * v * v * v)))
        case DCN_ACTIVATION_MISH: return v * tanh(log1p(exp(v)))
        case DCN_ACTIVATION_ELU: return v < 0 ? alpha * expm1(v) : v
        default: return v
        }
    }

    func finished(_ sum: Double, pixel: Int, channel: Int) -> Double {
        let v = sum + Double(bias?[channel] ?? 0)
        let r = Double(residual?[pixel * residualStride + channel] ?? 0)
        return residualLast ? activated(v) + r : activated(v + r)
    }

    /// Lends the epilogue in C, its bias padded as the kernels want it.
    func lend<Result>(_ body: (dcn_epilogue) -> Result) -> Result {
        let bias = self.bias.map {
            ConvBuffer($0 + .init(repeating: 0, count: dcn_padded($0.count) - $0.count))
        }
        let residual = self.residual.map { ConvBuffer($0) }
        return withExtendedLifetime((bias, residual)) {
            body(
                dcn_epilogue(
                    bias: bias.map { UnsafePointer($0.pointer) },
                    residual: residual.map { UnsafePointer($0.pointer) },
                    residual_stride: residualStride, activation: activation, alpha: alpha, beta: beta,
                    residual_last: residualLast ? 1 : 0))
        }
    }
}

/// A channels-last output of `pixels`, whose `channels` begin at `offset` of `stride`; an output of its own is cleared
/// up to its stride, a slice of a wider one leaves its neighbours alone.
struct ConvTarget {
    let pixels: Int, channels: Int, offset: Int, stride: Int
    let buffer: ConvBuffer
    static let untouched: Float = 777
    /// Whether the output lies over what is added to it.
    private(set) var holdsResidual = false

    init(_ noise: inout Noise, pixels: Int, channels: Int) {
        (self.pixels, self.channels) = (pixels, channels)
        offset = noise.index(3) == 0 ? 1 + noise.index(6) : 0
        stride = dcn_padded(channels + offset)
        buffer = ConvBuffer(count: pixels * stride, of: Self.untouched)
    }

    /// Puts the residual where the sums will go.
    mutating func fill(with end: ConvEnd) {
        guard let residual = end.residual else { return }
        holdsResidual = true
        for pixel in 0..<pixels {
            for channel in 0..<channels {
                buffer.pointer[pixel * stride + offset + channel] =
                    residual[
                        pixel * end.residualStride + channel]
            }
        }
    }

    /// Takes numbers that were stored plane by plane as if they had been stored here.
    func read(_ planes: ConvBuffer, images: Int) {
        let size = pixels / images
        for pixel in 0..<pixels {
            for lane in 0..<stride {
                let place = pixel * stride + lane, channel = lane - offset
                if channel >= 0 && channel < channels {
                    let plane = pixel / size * channels + channel
                    buffer.pointer[place] = planes[plane * size + pixel % size]
                } else if offset == 0 {
                    buffer.pointer[place] = 0
                }
            }
        }
    }

    func output(streaming: Bool) -> dcn_output {
        dcn_output(
            data: buffer.pointer + offset, stride: stride, clear: offset == 0 ? stride : 0,
            streaming: streaming ? 1 : 0)
    }

    /// What is wrong with the answer; nil when nothing is. `expected` is pixels × channels.
    func complaint(_ expected: [Double], within bound: Double) -> String? {
        for pixel in 0..<pixels {
            for lane in 0..<stride {
                let got = buffer[pixel * stride + lane], channel = lane - offset
                if channel >= 0 && channel < channels {
                    let want = expected[pixel * channels + channel]
                    if !(abs(Double(got) - want) <= bound) {
                        return "pixel \(pixel), channel \(channel): got \(got), expected \(want)"
                    }
                } else if got != (offset == 0 ? 0 : Self.untouched) {
                    return "pixel \(pixel), lane \(lane) is \(got)"
                }
            }
        }
        return buffer.isGuarded ? nil : "written behind the output"
    }
}
