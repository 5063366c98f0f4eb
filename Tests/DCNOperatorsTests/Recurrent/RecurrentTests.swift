import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite struct RecurrentTests {
    private let time = 4, batch = 3, features = 5, hidden = 2

    private func linear(_ kinds: [CellFunction.Kind], _ direction: Recurrence.Direction = .forward)
        -> Recurrence
    {
        var recurrence = Recurrence()
        recurrence.direction = direction
        recurrence.functions = kinds.map(CellFunction.init)
        return recurrence
    }

    private func operands(gates: Int, directions: Int = 1) -> [Tensor] {
        [
            scattered([time, batch, features], seed: 1),
            scattered([directions, gates * hidden, features], seed: 2),
            scattered([directions, gates * hidden, hidden], seed: 3),
            scattered([directions, 2 * gates * hidden], seed: 4),
        ]
    }

    /// W · x + R · h + both biases, of every gate.
    private func sums(_ given: [[Double]], gates: Int, _ t: Int, _ b: Int, _ h: [Double]) -> (
        x: [Double], h: [Double]
    ) {
        let rows = gates * hidden
        let x = (0..<rows).map { row in
            (0..<features).reduce(given[3][row]) {
                $0 + given[1][row * features + $1] * given[0][(t * batch + b) * features + $1]
            }
        }
        let r = (0..<rows).map { row in
            (0..<hidden).reduce(given[3][rows + row]) { $0 + given[2][row * hidden + $1] * h[$1] }
        }
        return (x, r)
    }

    /// States after each step by `cell`, which moves h and c on.
    private func states(
        _ tensors: [Tensor], gates: Int,
        _ cell: (_ x: [Double], _ r: [Double], _ h: inout [Double], _ c: inout [Double]) -> Void
    ) -> [Double] {
        let given = tensors.map { $0.elements(as: Float.self).map(Double.init) }
        var y = [Double](repeating: 0, count: time * batch * hidden)
        for b in 0..<batch {
            var h = [Double](repeating: 0, count: hidden)
            var c = h
            for t in 0..<time {
                let (x, r) = sums(given, gates: gates, t, b, h)
                cell(x, r, &h, &c)
                for i in 0..<hidden { y[(t * batch + b) * hidden + i] = h[i] }
            }
        }
        return y
    }

    private func expectClose(_ got: Tensor, _ expected: [Double]) {
        let errors = zip(got.elements(as: Float.self), expected).map { abs(Double($0) - $1) }
        #expect(errors.count == expected.count && errors.max() ?? 1 < 2e-5)
    }

    private func hard(_ x: Double) -> Double { min(1, max(0, Double(Float(0.2)) * x + 0.5)) }
    private func soft(_ x: Double) -> Double { x / (1 + abs(x)) }

    @Test func simpleNetworksFollowTheFormula() throws {
        var op = RNN()
        op.recurrence = linear([.softsign])
        let given = operands(gates: 1)
        let expected = states(given, gates: 1) { x, r, h, _ in for i in h.indices { h[i] = soft(x[i] + r[i]) }
        }
        expectClose(try run(op, given)[0], expected)
    }

    @Test(arguments: [false, true])
    func gatedUnitsFollowTheFormula(_ isLinear: Bool) throws {
        var op = GRU()
        op.recurrence = linear([.hardSigmoid, .softsign])
        op.isLinearBeforeReset = isLinear
        let given = operands(gates: 3)
        let n = hidden
        let weights = given.map { $0.elements(as: Float.self).map(Double.init) }
        let expected = states(given, gates: 3) { x, r, h, _ in
            let keep = (0..<n).map { hard(x[$0] + r[$0]) }
            let reset = (0..<n).map { hard(x[n + $0] + r[n + $0]) }
            let before = h
            for i in 0..<n {
                let row = 2 * n + i
                let inner = (0..<n).reduce(weights[3][3 * n + row]) {
                    $0 + weights[2][row * n + $1] * reset[$1] * before[$1]
                }
                h[i] =
                    (1 - keep[i]) * soft(x[row] + (isLinear ? reset[i] * r[row] : inner)) + keep[i]
                    * before[i]
            }
        }
        expectClose(try run(op, given)[0], expected)
    }

    @Test(arguments: [false, true])
    func longMemoryFollowsTheFormula(_ isCoupled: Bool) throws {
        var op = LSTM()
        op.recurrence = linear([.hardSigmoid, .softsign, .softsign])
        op.isCoupled = isCoupled
        let peepholes = scattered([1, 3 * hidden], seed: 5)
        let p = peepholes.elements(as: Float.self).map(Double.init)
        let n = hidden
        let expected = states(operands(gates: 4), gates: 4) { x, r, h, c in
            for i in 0..<n {
                let enter = hard(x[i] + r[i] + p[i] * c[i])
                let keep = isCoupled ? 1 - enter : hard(x[2 * n + i] + r[2 * n + i] + p[2 * n + i] * c[i])
                c[i] = keep * c[i] + enter * soft(x[3 * n + i] + r[3 * n + i])
                h[i] = hard(x[n + i] + r[n + i] + p[n + i] * c[i]) * soft(c[i])
            }
        }
        expectClose(try run(op, operands(gates: 4) + [nil, nil, nil, peepholes])[0], expected)
    }

    @Test func bothDirectionsAreEachOneAlone() throws {
        let lengths = try #require(Tensor(extents: [3], [Int32(4), 2, 0]))
        let given = operands(gates: 4, directions: 2)
        var op = LSTM()
        op.recurrence = linear([.sigmoid, .tanh, .tanh, .sigmoid, .tanh, .tanh], .bidirectional)
        let both = try run(op, given + [lengths], outputs: 3).map { $0.elements(as: Float.self) }
        for (number, direction) in [Recurrence.Direction.forward, .reverse].enumerated() {
            op.recurrence = linear([.sigmoid, .tanh, .tanh], direction)
            let half = try given.enumerated().map { index, tensor -> Tensor in
                guard index > 0 else { return tensor }
                let values = tensor.elements(as: Float.self)
                let part = Array(values[(number * values.count / 2)...].prefix(values.count / 2))
                return try #require(Tensor(extents: [1] + tensor.extents[1...], part))
            }
            let one = try run(op, half + [lengths], outputs: 3).map { $0.elements(as: Float.self) }
            let size = batch * hidden
            for t in 0..<time {
                #expect(
                    Array(both[0][((2 * t + number) * size)...].prefix(size))
                        == Array(one[0][(t * size)...].prefix(size)))
            }
            for state in 1...2 { #expect(Array(both[state][(number * size)...].prefix(size)) == one[state]) }
            // The second sequence ends after two steps, the third has none.
            #expect(one[0][(3 * size + hidden)...].allSatisfy { $0 == 0 } && one[0][0..<2] != [0, 0])
        }
    }

    @Test func refusesLengthsBeyondTheSequence() throws {
        let lengths = try #require(Tensor(extents: [3], [Int32(5), 2, 0]))
        var op = RNN()
        op.recurrence = linear([.tanh])
        #expect(throws: Misfit.self) { try run(op, operands(gates: 1) + [lengths]) }
        #expect(throws: Misfit.self) { try run(op, operands(gates: 2)) }
    }
}
