import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// One transposed convolution to be checked.
struct Spread: Sendable, CustomTestStringConvertible {
    var x: [Int]
    var weights: [Int]
    var groups = 1
    var strides: [Int] = []
    var pads: [Int] = []
    var dilations: [Int] = []
    var added: [Int] = []
    var testDescription: String { "\(x) by \(weights), strides \(strides), pads \(pads), groups \(groups)" }

    var op: ConvTranspose {
        var op = ConvTranspose()
        op.groups = groups
        op.window.strides = strides
        op.window.pads = pads
        op.window.dilations = dilations
        op.outputPadding = added
        return op
    }

    static let all: [Spread] = [
        Spread(x: [1, 3, 5], weights: [3, 2, 3]), Spread(x: [2, 4, 5, 6], weights: [4, 5, 3, 2]),
        Spread(x: [1, 4, 5, 6], weights: [4, 3, 4, 4], strides: [2, 2], pads: [1, 1, 1, 1]),
        Spread(x: [1, 6, 4, 3], weights: [6, 2, 3, 3], groups: 2, strides: [2, 3], added: [1, 2]),
        Spread(
            x: [1, 2, 4, 4], weights: [2, 2, 3, 2], strides: [3, 2], pads: [2, 0, 1, 1], dilations: [2, 3]),
        Spread(
            x: [1, 2, 3, 2, 3], weights: [2, 3, 2, 3, 2], strides: [2, 1, 2], pads: [0, 1, 0, 1, 1, 0]),
        Spread(x: [1, 20, 3, 3], weights: [20, 70, 2, 2], strides: [2, 2]),
    ]
}

@Suite struct ConvTransposeTests {
    /// Every input adds its weights to the results its taps reach.
    private func reference(_ s: Spread, _ x: Tensor, _ w: Tensor, _ bias: Tensor, _ y: [Int]) -> [Double] {
        let (xs, ws) = (x.elements(as: Float.self), w.elements(as: Float.self))
        let biases = bias.elements(as: Float.self)
        let rank = s.x.count - 2
        var sums = indices(of: y).map { Double(biases[$0[1]]) }
        for from in indices(of: s.x) {
            for tap in indices(of: Array(s.weights[2...])) {
                let place = (0..<rank).map { axis -> Int in
                    from[axis + 2] * (s.strides.isEmpty ? 1 : s.strides[axis])
                        + tap[axis] * (s.dilations.isEmpty ? 1 : s.dilations[axis])
                        - (s.pads.isEmpty ? 0 : s.pads[axis])
                }
                guard zip(place, y[2...]).allSatisfy({ $0 >= 0 && $0 < $1 }) else { continue }
                let group = from[1] / (s.x[1] / s.groups)
                for o in 0..<s.weights[1] {
                    let to = position([from[0], group * s.weights[1] + o] + place, in: y)
                    let weight = ws[position([from[1], o] + tap, in: s.weights)]
                    sums[to] += Double(xs[position(from, in: s.x)]) * Double(weight)
                }
            }
        }
        return sums
    }

    @Test(arguments: Spread.all)
    func spreadsInputsByTheFormulaOnEveryInstructionSet(_ s: Spread) throws {
        let x = scattered(s.x, seed: 1)
        let w = scattered(s.weights, seed: 2)
        let bias = scattered([s.weights[1] * s.groups], seed: 3)
        for set in InstructionSet.available {
            let y = try run(s.op, [x, w, bias], on: set)[0]
            let expected = reference(s, x, w, bias, y.extents)
            let errors = zip(y.elements(as: Float.self), expected).map { abs(Double($0) - $1) }
            #expect(errors.count == expected.count && errors.max() ?? 0 < 2e-5)
        }
        let wide = try [x, w, bias].map {
            try #require(Tensor(extents: $0.extents, $0.elements(as: Float.self).map(Double.init)))
        }
        let y = try run(s.op, wide)[0]
        let errors = zip(y.elements(as: Double.self), reference(s, x, w, bias, y.extents)).map {
            abs($0 - $1)
        }
        #expect(errors.max() ?? 1 < 1e-12)
    }

    @Test(arguments: Spread.all)
    func isTheTransposeOfItsConvolution(_ s: Spread) throws {
        // ⟨u, spread(x)⟩ = ⟨gather(u), x⟩ for every u.
        let x = scattered(s.x, seed: 1)
        let w = scattered(s.weights, seed: 2)
        let y = try run(s.op, [x, w])[0]
        let u = scattered(y.extents, seed: 4)
        var conv = Conv()
        conv.window = s.op.window
        conv.groups = s.groups
        let back = try run(conv, [u, w])[0]
        func inner(_ a: Tensor, _ b: Tensor) -> Double {
            zip(a.elements(as: Float.self), b.elements(as: Float.self)).reduce(0) {
                $0 + Double($1.0) * Double($1.1)
            }
        }
        guard back.extents == s.x else { return #expect(!s.added.isEmpty) }
        #expect(abs(inner(u, y) - inner(back, x)) < 1e-3)
    }

    @Test func refusesWhatDoesNotFit() {
        #expect(throws: Misfit.self) {
            try run(ConvTranspose(), [counting([1, 3, 5]), counting([2, 2, 3])])
        }
        var op = ConvTranspose()
        op.outputPadding = [-1]
        #expect(throws: Misfit.self) { try run(op, [counting([1, 3, 5]), counting([3, 2, 3])]) }
        op = ConvTranspose()
        op.groups = 2
        #expect(throws: Misfit.self) { try run(op, [counting([1, 3, 5]), counting([3, 2, 3])]) }
    }
}
