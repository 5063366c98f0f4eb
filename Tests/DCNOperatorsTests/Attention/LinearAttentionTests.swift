import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct LinearAttentionTests {
    /// query, key, value, state, decay, beta of so many steps: 2 pictures, 4 heads on 2, 3 numbers, 5 in values.
    private func operands(_ rule: LinearAttention.Rule, steps: Int, decays: Int = 2, betas: Int = 2)
        -> [Tensor?]
    {
        [
            scattered([2, steps, 12], seed: 1), scattered([2, steps, 6], seed: 2),
            scattered([2, steps, 10], seed: 3), scattered([2, 2, 3, 5], seed: 4),
            [.gated, .gatedDelta].contains(rule) ? scattered([2, steps, decays], seed: 5) : nil,
            [.delta, .gatedDelta].contains(rule) ? scattered([2, steps, betas], seed: 6) : nil,
        ]
    }

    /// The steps `range` of an operand [B, T, n].
    private func part(_ tensor: Tensor, _ range: Range<Int>) throws -> Tensor {
        let (steps, width) = (tensor.extents[1], tensor.extents[2])
        let values = tensor.elements(as: Float.self)
        let rows = (0..<tensor.extents[0]).flatMap { b in
            range.flatMap { t in (0..<width).map { values[(b * steps + t) * width + $0] } }
        }
        return try #require(Tensor(extents: [tensor.extents[0], range.count, width], rows))
    }

    @Test(arguments: [LinearAttention.Rule.linear, .gated, .delta, .gatedDelta])
    func oneCallIsAsGoodAsTwo(_ rule: LinearAttention.Rule) throws {
        let op = LinearAttention(queryHeads: 4, keyHeads: 2, rule: rule)
        let given = operands(rule, steps: 5, decays: 6, betas: 1)
        let whole = try run(op, given, outputs: 2)
        func call(_ range: Range<Int>, _ state: Tensor?) throws -> [Tensor] {
            let parts = try given.enumerated().map { index, tensor in
                index == 3 ? state : try tensor.map { try part($0, range) }
            }
            return try run(op, parts, outputs: 2)
        }
        let first = try call(0..<2, given[3])
        let second = try call(2..<5, first[1])
        #expect(try part(whole[0], 0..<2).elements(as: Float.self) == first[0].elements(as: Float.self))
        #expect(try part(whole[0], 2..<5).elements(as: Float.self) == second[0].elements(as: Float.self))
        #expect(whole[1].elements(as: Float.self) == second[1].elements(as: Float.self))
    }

    @Test func linearStatesAreSumsOfOuterProducts() throws {
        let op = LinearAttention(queryHeads: 4, keyHeads: 2, rule: .linear, scale: 0.5)
        var given = operands(.linear, steps: 4)
        given[3] = nil
        let y = try run(op, given, outputs: 2)[0].elements(as: Float.self)
        let values = given.map { $0?.elements(as: Float.self).map(Double.init) ?? [] }
        for index in indices(of: [2, 4, 4, 5]) {
            let (b, t, h, m) = (index[0], index[1], index[2], index[3])
            var sum = 0.0
            for s in 0...t {
                let weight = (0..<3).reduce(0.0) {
                    $0 + values[0][((b * 4 + t) * 4 + h) * 3 + $1]
                        * values[1][((b * 4 + s) * 2 + h / 2) * 3 + $1]
                }
                sum += weight * values[2][((b * 4 + s) * 2 + h / 2) * 5 + m]
            }
            #expect(abs(Double(y[((b * 4 + t) * 4 + h) * 5 + m]) - sum / 2) < 1e-5)
        }
    }

    @Test func aKeyOfLengthOneIsOverwritten() throws {
        let op = LinearAttention(queryHeads: 1, keyHeads: 1, rule: .delta, scale: 1)
        let unit = try #require(Tensor(extents: [1, 2, 2], [Float(0.6), 0.8, 0.6, 0.8]))
        let value = try #require(Tensor(extents: [1, 2, 1], [Float(7), -3]))
        let ones = try #require(Tensor(extents: [1, 2, 1], [Float(1), 1]))
        let y = try run(op, [unit, unit, value, nil, nil, ones], outputs: 2)[0].elements(as: Float.self)
        #expect(abs(y[0] - 7) < 1e-5 && abs(y[1] + 3) < 1e-5)
    }

    @Test func gatesMustFitTheRule() {
        let op = LinearAttention(queryHeads: 4, keyHeads: 2, rule: .linear)
        #expect(throws: Misfit.self) { try run(op, operands(.gated, steps: 2), outputs: 2) }
        let gated = LinearAttention(queryHeads: 4, keyHeads: 2, rule: .gated)
        #expect(throws: Misfit.self) { try run(gated, operands(.linear, steps: 2), outputs: 2) }
        #expect(throws: Misfit.self) { try run(gated, operands(.gated, steps: 2, decays: 3), outputs: 2) }
    }

    @Test func withoutGraphsFlexAttentionIsAttention() throws {
        let operands = [
            scattered([2, 4, 3, 4], seed: 1), scattered([2, 2, 5, 4], seed: 2),
            scattered([2, 2, 5, 6], seed: 3),
        ]
        let plain = try run(Attention(), operands)[0].elements(as: Float.self)
        let flexible = try run(FlexAttention(), operands)[0].elements(as: Float.self)
        #expect(plain.count == flexible.count)
        for (a, b) in zip(plain, flexible) { #expect(abs(a - b) < 1e-5) }
    }
}
