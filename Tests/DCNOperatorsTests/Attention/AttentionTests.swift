import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct AttentionTests {
    private var operands: [Tensor] {
        [
            scattered([2, 4, 3, 4], seed: 1), scattered([2, 2, 5, 4], seed: 2),
            scattered([2, 2, 5, 6], seed: 3),
        ]
    }

    private func doubles(_ tensor: Tensor) throws -> Tensor {
        try #require(Tensor(extents: tensor.extents, tensor.elements(as: Float.self).map(Double.init)))
    }

    @Test func weighsValuesByTheSoftmaxOfProducts() throws {
        let y = try run(Attention(), operands)[0]
        let wide = try run(Attention(), try operands.map(doubles))[0].elements(as: Double.self)
        let given = operands.map { $0.elements(as: Float.self).map(Double.init) }
        var worst = 0.0
        for index in indices(of: [2, 4, 3, 6]) {
            let (b, h, i, d) = (index[0], index[1], index[2], index[3])
            let powers = (0..<5).map { j -> Double in
                var product = 0.0
                for c in 0..<4 {
                    product +=
                        given[0][position([b, h, i, c], in: [2, 4, 3, 4])]
                        * given[1][position([b, h / 2, j, c], in: [2, 2, 5, 4])]
                }
                return power(product / 2)
            }
            let total = powers.reduce(0, +)
            let sum = (0..<5).reduce(0.0) {
                $0 + powers[$1] / total * given[2][position([b, h / 2, $1, d], in: [2, 2, 5, 6])]
            }
            worst = max(worst, abs(wide[position(index, in: [2, 4, 3, 6])] - sum))
        }
        #expect(worst < 1e-9)
        let errors = zip(y.elements(as: Float.self), wide).map { abs(Double($0) - $1) }
        #expect(errors.max() ?? 1 < 1e-5)
    }

    /// eˣ by its series, halved often enough.
    private func power(_ x: Double) -> Double {
        let small = x / 1024
        var sum = 1.0
        var term = 1.0
        for n in 1...12 {
            term *= small / Double(n)
            sum += term
        }
        for _ in 0..<10 { sum *= sum }
        return sum
    }

    @Test func causalQueriesSeeNoLaterKey() throws {
        var op = Attention()
        op.isCausal = true
        op.scores = .weights
        let weights = try run(op, operands, outputs: 4)[3]
        let values = weights.elements(as: Float.self)
        for index in indices(of: weights.extents) {
            let value = values[position(index, in: weights.extents)]
            #expect((value == 0) == (index[3] > index[2]))
        }
    }

    @Test func queriesThatMayLookAtNothingGiveZeros() throws {
        let mask = try #require(Tensor(extents: [1, 5], Array(repeating: false, count: 5)))
        let y = try run(Attention(), operands + [mask])[0]
        #expect(y.elements(as: Float.self).allSatisfy { $0 == 0 })
    }

    @Test func pastKeysCountAsKeys() throws {
        let all = operands
        let pastKey = scattered([2, 2, 7, 4], seed: 4)
        let pastValue = scattered([2, 2, 7, 6], seed: 5)
        let split = try run(Attention(), all + [nil, pastKey, pastValue].map { $0 }, outputs: 3)
        let whole = try run(Attention(), [all[0], split[1], split[2]])
        #expect(split[1].extents == [2, 2, 12, 4] && split[2].extents == [2, 2, 12, 6])
        #expect(split[0].elements(as: Float.self) == whole[0].elements(as: Float.self))
    }

    @Test func refusesShapesThatDoNotFit() {
        var given = operands
        given[1] = scattered([2, 3, 5, 4], seed: 2)
        #expect(throws: Misfit.self) { try run(Attention(), given) }
        #expect(throws: Misfit.self) { try run(Attention(), operands + [scattered([7, 5], seed: 1)]) }
    }
}
