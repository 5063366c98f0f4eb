import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct DeformAggregateTests {
    struct Layer: CustomTestStringConvertible {
        var kernel = [3, 3], strides = [1, 1], dilations = [1, 1], pads = [1, 1]
        var groups = 2, perGroup = 3, scale: Float = 1, skipsCentre = false
        var testDescription: String {
            "\(kernel) / \(strides) · \(dilations) + \(pads), \(groups) × \(perGroup), × \(scale)\(skipsCentre ? ", hollow" : "")"
        }
        var op: DeformAggregate {
            var window = Window()
            window.kernel = kernel
            window.strides = strides
            window.dilations = dilations
            window.pads = pads + pads
            return DeformAggregate(
                window: window, groups: groups, offsetScale: scale, skipsCentre: skipsCentre)
        }
    }

    static let layers = [
        Layer(), Layer(scale: 0.5), Layer(scale: 2, skipsCentre: true),
        Layer(strides: [2, 1], dilations: [1, 2], pads: [0, 2]),
        Layer(kernel: [3, 5], pads: [1, 2], groups: 1, perGroup: 17),
        Layer(groups: 4, perGroup: 16, skipsCentre: true),
    ]

    /// Inputs for an image of 2 × 7 × 6 pixels: offsets of some pixels, whole numbers among them.
    private func inputs(_ layer: Layer) throws -> [Tensor] {
        let channels = layer.groups * layer.perGroup
        let x = [2, 7, 6, channels]
        let window = layer.op.window
        let output = (0..<2).map {
            (x[$0 + 1] + 2 * window.pads[$0] - window.reach($0)) / window.strides[$0] + 1
        }
        let width = layer.groups * layer.op.taps
        var state: UInt64 = 88_172_645_463_325_252
        func number() -> Float {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return Float(Int64(bitPattern: state) >> 40) / Float(1 << 22)
        }
        func tensor(_ extents: [Int], _ scale: Float) throws -> Tensor {
            let values = (0..<extents.reduce(1, *)).map { index in
                let value = number() * scale
                return scale > 1 && index % 3 == 0 ? value.rounded() : value
            }
            return try #require(Tensor(extents: extents, values))
        }
        return [
            try tensor(x, 1), try tensor([2] + output + [2 * width], 3),
            try tensor([2] + output + [width], 1),
        ]
    }

    private func doubled(_ tensor: Tensor) throws -> Tensor {
        try #require(Tensor(extents: tensor.extents, tensor.elements(as: Float.self).map(Double.init)))
    }

    @Test(arguments: InstructionSet.available, layers)
    func kernelsAgreeWithTheFormula(_ set: InstructionSet, _ layer: Layer) throws {
        let inputs = try inputs(layer)
        let got = try run(layer.op, inputs, on: set)[0].elements(as: Float.self)
        let expected = try run(layer.op, try inputs.map(doubled))[0].elements(as: Double.self)
        #expect(got.count == expected.count && !got.isEmpty)
        let scale = expected.map(abs).max() ?? 0
        #expect(
            zip(got, expected).allSatisfy {
                abs(Double($0) - $1) <= 2e-6 * max(1, scale) * Double(layer.op.taps)
            })
    }

    @Test(arguments: layers) func oneTensorOfOffsetsAndMasksGivesTheSame(_ layer: Layer) throws {
        let inputs = try inputs(layer)
        let (offset, mask) = (inputs[1].elements(as: Float.self), inputs[2].elements(as: Float.self))
        let taps = layer.op.taps
        let places = inputs[1].extents[0..<3].reduce(1, *)
        // Padded to eighths, as DCNv4 has it.
        let width = (3 * layer.groups * taps + 7) / 8 * 8
        var values = [Float](repeating: .nan, count: places * width)
        for place in 0..<places {
            for group in 0..<layer.groups {
                let entry = place * layer.groups + group
                for index in 0..<3 * taps {
                    values[place * width + group * 3 * taps + index] =
                        index < 2 * taps
                        ? offset[entry * 2 * taps + index] : mask[entry * taps + index - 2 * taps]
                }
            }
        }
        let joint = try #require(Tensor(extents: inputs[1].extents[0..<3] + [width], values))
        var op = layer.op
        op.isJoint = true
        let got = try run(op, [inputs[0], joint])[0].elements(as: Float.self)
        #expect(got == (try run(layer.op, inputs)[0].elements(as: Float.self)))
    }

    @Test func zeroOffsetsAndEqualMasksGiveTheMeanOfNeighbours() throws {
        let x = counting([1, 5, 5, 1])
        let zeros = try #require(Tensor(extents: [1, 3, 3, 18], [Float](repeating: 0, count: 162)))
        let ninths = try #require(Tensor(extents: [1, 3, 3, 9], [Float](repeating: 1 / 9, count: 81)))
        let layer = Layer(pads: [0, 0], groups: 1, perGroup: 1)
        let y = try run(layer.op, [x, zeros, ninths])[0].elements(as: Float.self)
        let expected: [Float] = [6, 7, 8, 11, 12, 13, 16, 17, 18]
        #expect(zip(y, expected).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    @Test func oneOffsetMovesItsTapOnly() throws {
        // Tap 1 of a 3 × 3 kernel counted down the columns stands a row below the corner; x comes first in a pair.
        let x = counting([1, 5, 5, 1])
        var offsets = [Float](repeating: 0, count: 18)
        offsets[2] = 2
        offsets[3] = 1
        var masks = [Float](repeating: 0, count: 9)
        masks[1] = 1
        let layer = Layer(strides: [3, 3], pads: [0, 0], groups: 1, perGroup: 1)
        let offset = try #require(Tensor(extents: [1, 1, 1, 18], offsets))
        let mask = try #require(Tensor(extents: [1, 1, 1, 9], masks))
        #expect(try run(layer.op, [x, offset, mask])[0].elements(as: Float.self) == [12])
    }

    @Test func numbersThatDoNotFitAreNamed() throws {
        let type = { (extents: [Int]) in ValueType.tensor(TensorType(.float32, extents: extents)) }
        let op = Layer().op
        #expect(throws: Misfit.self) {
            try op.outputTypes(
                for: Inputs([type([1, 4, 4, 6]), type([1, 4, 4, 35]), type([1, 4, 4, 18])]))
        }
        #expect(throws: Misfit.self) {
            try op.outputTypes(
                for: Inputs([type([1, 4, 4, 7]), type([1, 4, 4, 36]), type([1, 4, 4, 18])]))
        }
        let types = try op.outputTypes(
            for: Inputs([type([1, 4, 4, 6]), type([1, 4, 4, 36]), type([1, 4, 4, 18])]))
        #expect(types == [type([1, 4, 4, 6])])
    }
}
