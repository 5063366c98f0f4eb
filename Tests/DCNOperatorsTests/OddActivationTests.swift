import DCNGraph
import DCNOperators
import Foundation
import TestSupport
import Testing

/// Activations of numbers at the edge: what kernels apply before they store, what operators apply, what is written.
@Suite("Activations at the edge, fused and not")
struct OddActivationTests {
    private static let sets = InstructionSet.available
    /// A denormal.
    private static let tiny = Float.leastNormalMagnitude / 128
    private static let x: [Float] = [
        .nan, .infinity, -.infinity, 1e30, -1e30, 3e38, -3e38, tiny, -tiny, 0, -0.0, 1, -1, 3, -3, 6.5,
        -6.5, 20,
        -20, 100, -100, -0.3,
    ]

    /// A function as kernels apply it, as an operator, and as it is defined.
    private struct Case: Sendable {
        var activation: Activation
        var op: any Operator
        var bounds: [Float] = []
        var value: @Sendable (Double) -> Double
    }

    private static let cases: [Case] = [
        Case(activation: Activation(.relu), op: Relu()) { $0 < 0 ? 0 : $0 },
        Case(activation: Activation(.clip, alpha: -1, beta: 6), op: Clip(), bounds: [-1, 6]) {
            $0 < -1 ? -1 : $0 > 6 ? 6 : $0
        },
        Case(activation: Activation(.leakyRelu, alpha: 0.1), op: LeakyRelu(alpha: 0.1)) {
            $0 < 0 ? Double(Float(0.1)) * $0 : $0
        },
        Case(activation: Activation(.sigmoid), op: Sigmoid()) { 1 / (1 + exp(-$0)) },
        Case(activation: Activation(.silu), op: Swish()) { $0 == -.infinity ? 0 : $0 / (1 + exp(-$0)) },
        Case(activation: Activation(.hardSigmoid, alpha: 0.2, beta: 0.5), op: HardSigmoid()) {
            let line = Double(Float(0.2)) * $0 + 0.5
            return line < 0 ? 0 : line > 1 ? 1 : line
        },
        Case(activation: Activation(.hardSwish), op: HardSwish()) {
            $0 <= -3 ? 0 : $0 >= 3 ? $0 : $0 * ($0 / 6 + 0.5)
        },
        Case(activation: Activation(.tanh), op: Tanh()) { tanh($0) },
        Case(activation: Activation(.gelu), op: Gelu()) {
            $0 < -40 ? 0 : $0 * (1 + erf($0 * 0.5.squareRoot())) / 2
        },
        Case(activation: Activation(.geluTanh), op: Gelu(isApproximate: true)) {
            let line = (2 / Double.pi).squareRoot() * ($0 + 0.044715 * $0 * $0 * $0)
            return $0 < -40 ? 0 : $0 * (1 + tanh(line)) / 2
        },
        Case(activation: Activation(.mish), op: Mish()) {
            $0 < -40 ? 0 : $0 > 40 ? $0 : $0 * tanh(log1p(exp($0)))
        },
        Case(activation: Activation(.elu, alpha: 2), op: Elu(alpha: 2)) { $0 < 0 ? 2 * expm1($0) : $0 },
    ]

    private static func conv(_ activation: Activation, groups: Int = 1) -> any Operator {
        var conv = Conv()
        (conv.activation, conv.groups) = (activation, groups)
        return conv
    }

    private static func filled(_ extents: [Int], _ value: (Int) -> Float) throws -> Tensor {
        try #require(Tensor(extents: extents, (0..<extents.reduce(1, *)).map(value)))
    }

    private static func transposed(_ activation: Activation) -> any Operator {
        var op = ConvTranspose()
        op.activation = activation
        return op
    }

    private static func deformable(_ activation: Activation) -> any Operator {
        var op = DeformConv()
        op.window.kernel = [1, 1]
        op.activation = activation
        return op
    }

    private static func product(_ activation: Activation) -> any Operator {
        var op = MatMul()
        op.activation = activation
        return op
    }

    /// An operator that applies a function to what it computes, with operands that bring every x to it.
    private struct Maker {
        var make: (Activation) -> any Operator
        var inputs: [Tensor]
    }

    private static func makers() throws -> [Maker] {
        let count = x.count
        let rows = try filled([1, 8, 3, count]) { x[$0 % count] }
        let few = try filled([1, 1, 3, count]) { x[$0 % count] }
        let channels = try filled([1, count, 5, 9]) { x[$0 / 45] }
        let images = try filled([count, 16, 8, 8]) { x[$0 / 1024] }
        let offsets = try filled([1, 2, 3, count]) { _ in 0 }
        let eighths = try filled([20, 8, 1, 1]) { _ in 0.125 }
        return [
            Maker(make: { conv($0) }, inputs: [few, try filled([3, 1, 1, 1]) { _ in 1 }]),
            Maker(make: { conv($0) }, inputs: [rows, eighths]),
            Maker(
                make: { conv($0, groups: count) },
                inputs: [channels, try filled([count, 1, 3, 3]) { _ in 0.125 }]),
            Maker(make: { conv($0) }, inputs: [images, try filled([16, 16, 3, 3]) { _ in 0x1p-7 }]),
            Maker(make: transposed, inputs: [rows, try filled([8, 20, 1, 1]) { _ in 0.125 }]),
            Maker(make: deformable, inputs: [rows, eighths, offsets]),
            Maker(
                make: product,
                inputs: [try filled([count, 8]) { x[$0 / 8] }, try filled([8, 20]) { _ in 0.125 }]),
        ]
    }

    /// Alike up to rounding, of denormals too; all functions of the test keep them or go to numbers beside them.
    private func agree(_ a: Float, _ b: Float, at x: Float) -> Bool {
        if a == b || a.isNaN && b.isNaN { return true }
        let least: Float = abs(x) < 1e-30 ? Self.tiny / 64 : 1e-6
        return a.isFinite && b.isFinite && abs(a - b) <= 1e-5 * abs(b) + least
    }

    @Test("a function gives the same wherever it is applied", arguments: sets)
    func fused(_ set: InstructionSet) throws {
        for (place, maker) in try Self.makers().enumerated() {
            let (make, inputs) = (maker.make, maker.inputs)
            let sums = try run(make(.none), inputs, on: set)[0]
            let x = sums.elements(as: Float.self)
            for entry in Self.cases {
                let got = try run(make(entry.activation), inputs, on: set)[0].elements(as: Float.self)
                let apart = try run(entry.op, [sums] + entry.bounds.map { Tensor(scalar: $0) }, on: set)[0]
                    .elements(as: Float.self)
                let wrong = x.indices.filter {
                    !agree(got[$0], apart[$0], at: x[$0])
                        || !agree(got[$0], Float(entry.value(Double(x[$0]))), at: x[$0])
                }
                #expect(
                    wrong.isEmpty,
                    "\(place) \(entry.activation.function): \(wrong.prefix(4).map { (x[$0], got[$0], apart[$0]) })"
                )
            }
        }
    }

    @Test("what is not finite and denormals come to the functions", arguments: sets)
    func reaches(_ set: InstructionSet) throws {
        for maker in try Self.makers() where maker.inputs.count == 2 && maker.inputs[1].extents.last == 1 {
            let sums = try run(maker.make(.none), maker.inputs, on: set)[0].elements(as: Float.self)
            #expect(sums.contains { $0.isNaN } && sums.contains(.infinity) && sums.contains(-.infinity))
            #expect(sums.contains { $0 != 0 && abs($0) < Float.leastNormalMagnitude })
        }
    }

    @Test("gates at their ends", arguments: sets)
    func gates(_ set: InstructionSet) throws {
        let a = Tensor(vector: [Float.nan, .infinity, -.infinity, -.infinity])
        let b = Tensor(vector: [Float(1), 1, 1, .infinity])
        let got = try run(SwiGLU(), [a, b], on: set)[0].elements(as: Float.self)
        #expect(got[0].isNaN && got[1] == .infinity && got[2] == 0 && got[3].isNaN)
        for isApproximate in [false, true] {
            let op = BiasGelu(Gelu(isApproximate: isApproximate))
            let y = try run(op, [a, Tensor(vector: [Float](repeating: 1, count: 4))], on: set)[0]
            let bent = y.elements(as: Float.self)
            #expect(bent[0].isNaN && bent[1] == .infinity && bent[2] == 0)
        }
        let dropped = try run(
            Dropout(seed: 1), [a, Tensor(scalar: Float(0.999_999)), Tensor(scalar: true)], on: set)[0]
        #expect(dropped.elements(as: Float.self) == [0, 0, 0, 0])
    }

    @Test("narrow floats are left to be widened, with a ratio and without")
    func narrow() throws {
        let ones = Tensor(vector: [Float](repeating: 1, count: 40)), training = Tensor(scalar: true)
        for element in [ElementType.float16, .bfloat16] {
            let x = try run(Cast(to: element), [ones])[0]
            #expect(throws: Misfit.self) { try run(Dropout(seed: 1), [x, nil, training]) }
            let y = try runWidened(Dropout(seed: 1), [x, Tensor(scalar: Float(0.5)), training])[0]
            let got = try run(Cast(to: .float32), [y])[0].elements(as: Float.self)
            #expect(got.count == 40 && got.allSatisfy { $0 == 0 || $0 == 2 }, "\(element): \(got)")
        }
    }
}
