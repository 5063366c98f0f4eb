import DCN
import DCNOperators
import DCNPasses

/// A layer made ready as the converter does it, its operands in the layouts it reads.
struct Layer {
    let op: any Operator
    let operands: [Tensor?]
    let multiplyAdds: Int

    /// The layer of a case, operands drawn from a seed.
    init(_ bench: Case, accuracy: Accuracy, seed: UInt64 = 1) throws {
        var numbers = Numbers(state: seed)
        let (x, weights, bias) = try numbers.operands(of: bench)
        switch bench.kind {
        case .conv: try self.init(conv: bench, x, weights, bias, accuracy)
        case .deform:
            let (offset, mask) = try numbers.fields(of: bench)
            try self.init(deform: bench, [x, weights, offset, bias, mask], accuracy)
        }
    }

    /// Image, weights and bias of a case, then offset and mask, row-major, as the layer of the same seed has them.
    static func operands(of bench: Case, seed: UInt64 = 1) throws -> [Tensor] {
        var numbers = Numbers(state: seed)
        let (x, weights, bias) = try numbers.operands(of: bench)
        guard bench.kind == .deform else { return [x, weights, bias] }
        let (offset, mask) = try numbers.fields(of: bench)
        return [x, weights, bias, offset] + (mask.map { [$0] } ?? [])
    }

    /// How the weights are packed.
    var form: String {
        ((op as? Conv)?.packed ?? (op as? DeformConv)?.packed)?.form.rawValue ?? op.name
    }

    private init(conv bench: Case, _ x: Tensor, _ weights: Tensor, _ bias: Tensor, _ accuracy: Accuracy)
        throws
    {
        var conv = Conv()
        conv.groups = bench.groups
        conv.window = bench.window
        try self.init(conv, [x, weights, bias], accuracy)
    }

    private init(deform bench: Case, _ operands: [Tensor?], _ accuracy: Accuracy) throws {
        var conv = DeformConv()
        conv.groups = bench.groups
        conv.offsetGroups = bench.offsetGroups
        conv.window = bench.window
        try self.init(conv, operands, accuracy)
    }

    private init(_ op: some Packable, _ operands: [Tensor?], _ accuracy: Accuracy) throws {
        let types = operands.map { $0.map { ValueType.tensor($0.type) } }
        let constants = operands.enumerated().map { index, tensor in
            [0, 2, 4].contains(index) && !(op is Conv && index == 2) ? nil : tensor.map(Datum.tensor)
        }
        let known = Inputs(types, constants: constants)
        guard let form = try op.packed(for: known, choices: PackingChoices(accuracy: accuracy)) else {
            throw Misfit.unsupported("this layer is not packed")
        }
        var given = operands
        for (index, constant) in form.constants { given[index] = constant }
        if case .channelsLast(let inputs, _, let either) = form.op.layoutRule(for: known) {
            for index in inputs.union(either) where index < given.count {
                guard let tensor = given[index] else { continue }
                given[index] = try evaluate(
                    Relayout(to: .channelsLast), [.tensor(tensor)], outputCount: 1, instructionSet: .best,
                    byteLimit: Int.max)[0].tensor
            }
        }
        self.op = form.op
        self.operands = given
        let results = try form.op.outputTypes(for: Inputs(given.map { $0.map { .tensor($0.type) } }))
        multiplyAdds = form.op.multiplyAdds(inputs: types, outputs: results)
    }
}

extension Case {
    var window: Window {
        var window = Window()
        window.strides = [stride, stride]
        window.dilations = [dilation, dilation]
        window.pads = Array(repeating: pad, count: 4)
        return window
    }
}

/// Numbers in −1 … 1 from a linear congruence: enough for timing.
struct Numbers {
    var state: UInt64

    mutating func next() -> Float {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Float(Int32(truncatingIfNeeded: state >> 33)) / 1_073_741_824 - 1
    }

    mutating func tensor(_ extents: [Int], scale: Float) throws -> Tensor {
        let values = (0..<extents.reduce(1, *)).map { _ in next() * scale }
        guard let tensor = Tensor(extents: extents, values) else { throw Misfit.missing("a tensor") }
        return tensor
    }

    mutating func operands(of bench: Case) throws -> (x: Tensor, weights: Tensor, bias: Tensor) {
        let weights = try tensor(
            [bench.outputs, bench.channels / bench.groups, bench.kernel, bench.kernel], scale: 0.05)
        return (try tensor(bench.input, scale: 1), weights, try tensor([bench.outputs], scale: 0.1))
    }

    mutating func fields(of bench: Case) throws -> (offset: Tensor, mask: Tensor?) {
        let pixels = Array(bench.output[2...]), taps = bench.kernel * bench.kernel * bench.offsetGroups
        let offset = try smooth([bench.batch, 2 * taps] + pixels, scale: 2)
        return (offset, bench.hasMask ? try tensor([bench.batch, taps] + pixels, scale: 0.5) : nil)
    }

    /// Offsets as networks learn them: neighbours move alike.
    mutating func smooth(_ extents: [Int], scale: Float) throws -> Tensor {
        var last: Float = 0
        let values = (0..<extents.reduce(1, *)).map { _ in
            last = 0.97 * last + 0.03 * next() * 8 * scale
            return last
        }
        guard let tensor = Tensor(extents: extents, values) else { throw Misfit.missing("a tensor") }
        return tensor
    }
}
