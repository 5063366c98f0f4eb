import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings of operators that go along sequences say of numbers that are hardly numbers.
@Suite("Sequences of numbers at the edge")
struct OddSequenceTests {
    private static let sets = InstructionSet.available
    private let infinity = Float.infinity

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    private func ones(_ extents: [Int]) throws -> Tensor {
        try tensor(extents, [Float](repeating: 1, count: extents.reduce(1, *)))
    }

    private func floats(_ tensor: Tensor) -> [Float] { tensor.elements(as: Float.self) }

    private func answer(_ op: any Operator, _ inputs: [Tensor?], _ set: InstructionSet) throws -> [Float] {
        floats(try run(op, inputs, on: set)[0])
    }

    @Test("keys that are closed have no say, others that are odd spoil their query", arguments: sets)
    func attention(_ set: InstructionSet) throws {
        let queries = try ones([1, 1, 2, 2])
        let mask = try #require(
            Tensor(TensorType(.bool, extents: [2, 3]), bytesOf: [1, 1, 0, 1, 1, 1] as [UInt8]))
        for odd in [Float.nan, infinity] {
            let keys = try tensor([1, 1, 3, 2], [1, 1, 1, 1, odd, 1])
            let values = try tensor([1, 1, 3, 1], [2, 4, odd])
            let got = try answer(Attention(), [queries, keys, values, mask], set)
            #expect(got[0] == 3 && got[1].isNaN, "\(odd): \(got)")
        }
        let far = try tensor([1, 1, 3, 2], [1, 1, 1, 1, -infinity, 1])
        let values = try tensor([1, 1, 3, 1], [2, 4, .nan])
        #expect(try answer(Attention(), [queries, far, values], set) == [3, 3])
        let none = try answer(
            Attention(), [queries, try tensor([1, 1, 0, 2], []), try tensor([1, 1, 0, 1], [])], set)
        #expect(none == [0, 0])
        #expect(
            try run(
                Attention(),
                [
                    try tensor([0, 1, 2, 2], []), try tensor([0, 1, 3, 2], []), try tensor([0, 1, 3, 1], []),
                ], on: set)[0].extents == [0, 1, 2, 1])
    }

    @Test("plain attention follows softmax and products", arguments: sets)
    func plainAttention(_ set: InstructionSet) throws {
        let queries = try tensor([1, 3, 1], [1, .nan, infinity])
        let keys = try ones([1, 2, 1]), values = try tensor([1, 2, 1], [1, 3])
        let got = try answer(DotProductAttention(), [queries, keys, values], set)
        #expect(got[0] == 2 && got[1].isNaN && got[2].isNaN)
        let mask = try tensor([3, 2], [0, -infinity, -infinity, -infinity, 0, 0])
        let one = try ones([1, 3, 1])
        let closed = try answer(
            DotProductAttention(), [one, keys, try tensor([1, 2, 1], [1, infinity]), mask], set)
        #expect(closed[0].isNaN && closed[1].isNaN && closed[2] == infinity)
        let flexible = try answer(
            FlexAttention(),
            [
                try tensor([1, 1, 3, 1], [1, .nan, infinity]), try ones([1, 1, 2, 1]),
                try tensor([1, 1, 2, 1], [1, 3]),
            ], set)
        #expect(flexible[0] == 2 && flexible[1].isNaN && flexible[2].isNaN)
    }

    @Test("what is odd stays in its head, pair or channel", arguments: sets)
    func heads(_ set: InstructionSet) throws {
        let op = LinearAttention(queryHeads: 2, keyHeads: 2, rule: .linear)
        for odd in [Float.nan, infinity, 1e30] {
            var keys = [Float](repeating: 1, count: 12)
            keys[4] = odd
            let values = try tensor([1, 3, 4], [Float](repeating: odd == 1e30 ? 1e30 : 1, count: 12))
            let got = try run(
                op, [try ones([1, 3, 4]), try tensor([1, 3, 4], keys), values], outputs: 2, on: set)
            let y = floats(got[0])
            #expect(y[0].isFinite && !y[4].isFinite && !y[8].isFinite && y[10].isFinite, "\(odd): \(y)")
            #expect(!floats(got[1])[0].isFinite && floats(got[1])[4].isFinite)
        }
        var rotary = RotaryEmbedding()
        rotary.isInterleaved = true
        let cosine = try ones([1, 1, 2])
        let turned = try answer(rotary, [try tensor([1, 1, 1, 4], [.nan, 1, 2, 3]), cosine, cosine], set)
        #expect(turned[0].isNaN && turned[1].isNaN)
        #expect(Array(turned.suffix(2)) == [-1, 5])
        let row = try tensor([1, 2, 5], [1, .nan, 1, 1, 1, 1, 1, 1, 1, 1])
        let causal = try answer(CausalConvWithState(), [row, try ones([2, 1, 3])], set)
        let spoilt = causal.indices.filter { !causal[$0].isFinite }
        #expect(spoilt == [1, 2, 3])
        let bent = try answer(
            CausalConvWithState(hasSwish: true), [try tensor([1, 1, 1], [-infinity]), try ones([1, 1, 1])],
            set)
        #expect(bent == [0])
    }

    private func recurrence(_ kinds: [CellFunction.Kind]) -> Recurrence {
        var recurrence = Recurrence()
        recurrence.functions = kinds.map(CellFunction.init)
        return recurrence
    }

    /// A network of one unit by the kinds of its functions, and how many gates it has.
    private func networks() -> [(op: any Operator, gates: Int)] {
        var (rnn, gru, lstm) = (RNN(), GRU(), LSTM())
        rnn.recurrence = recurrence([.tanh])
        gru.recurrence = recurrence([.sigmoid, .tanh])
        lstm.recurrence = recurrence([.sigmoid, .tanh, .tanh])
        return [(rnn, 1), (gru, 3), (lstm, 4)]
    }

    @Test("sequences keep to themselves what is odd in them", arguments: sets)
    func recurrent(_ set: InstructionSet) throws {
        for (op, gates) in networks() {
            let weights = [try ones([1, gates, 1]), try ones([1, gates, 1])]
            // Three steps of two sequences.
            let spoilt = try run(
                op, [try tensor([3, 2, 1], [1, 1, .nan, 1, 1, 1])] + weights, outputs: 2, on: set)
            #expect(floats(spoilt[0]).map(\.isNaN) == [false, false, true, false, true, false], "\(op)")
            #expect(floats(spoilt[1]).map(\.isNaN) == [true, false])
            let bounded = try answer(op, [try tensor([3, 2, 1], [1, 1, infinity, 1, 1, 1])] + weights, set)
            #expect(bounded.allSatisfy { $0.isFinite }, "\(op): \(bounded)")
            let lengths = try #require(Tensor(extents: [2], [Int32(1), 3]))
            let cut = try answer(op, [try ones([3, 2, 1])] + weights + [nil, lengths], set)
            #expect(cut[2] == 0 && cut[4] == 0 && cut[5] != 0)
            let first = try tensor([1, 2, 1], [0.25, 0.5])
            let none = try run(
                op, [try tensor([0, 2, 1], [])] + weights + [nil, nil, first], outputs: 2, on: set)
            #expect(none[0].extents == [0, 1, 2, 1], "\(op)")
            #expect(floats(none[1]) == [0.25, 0.5], "\(op)")
            #expect(try run(op, [try tensor([3, 0, 1], [])] + weights, on: set)[0].extents == [3, 1, 0, 1])
        }
    }

    @Test("functions of cells are those of operators", arguments: sets)
    func cells(_ set: InstructionSet) throws {
        let x: [Float] = [.nan, infinity, -infinity, 1e30]
        let cases: [(CellFunction.Kind, [Float])] = [
            (.relu, [.nan, infinity, 0, 1e30]), (.tanh, [.nan, 1, -1, 1]), (.sigmoid, [.nan, 1, 0, 1]),
            (.softsign, [.nan, 1, -1, 1]), (.softplus, [.nan, infinity, 0, 1e30]),
            (.thresholdedRelu, [.nan, infinity, 0, 1e30]), (.elu, [.nan, infinity, -1, 1e30]),
            (.hardSigmoid, [.nan, 1, 0, 1]),
        ]
        for (kind, expected) in cases {
            var op = RNN()
            op.recurrence = recurrence([kind])
            let got = try answer(
                op, [try tensor([1, 4, 1], x), try ones([1, 1, 1]), try tensor([1, 1, 1], [0])], set)
            #expect(zip(got, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }, "\(kind): \(got)")
        }
    }

    @Test("spectra of what is odd, and of nothing", arguments: sets)
    func spectra(_ set: InstructionSet) throws {
        for (length, odd) in [(4, infinity), (4, .nan), (3, infinity), (3, .nan)] as [(Int, Float)] {
            let line = [1, odd] + [Float](repeating: 1, count: length - 2)
            let signal = try tensor([2, length, 1], line + [Float](repeating: 1, count: length))
            let bins = try answer(DFT(), [signal], set)
            for bin in 0..<length { #expect(!bins[2 * bin].isFinite || !bins[2 * bin + 1].isFinite) }
            #expect(bins.suffix(2 * length).allSatisfy { $0.isFinite })
        }
        let signal = try tensor([1, 8], [.nan] + [Float](repeating: 1, count: 7))
        let frames = try answer(
            STFT(), [signal, Tensor(scalar: Int64(4)), nil, Tensor(scalar: Int64(4))], set)
        for bin in 0..<3 { #expect(!frames[2 * bin].isFinite || !frames[2 * bin + 1].isFinite) }
        #expect(frames.suffix(6).allSatisfy { $0.isFinite })
        #expect(try run(DFT(), [try tensor([0, 4, 1], [])], on: set)[0].extents == [0, 4, 2])
        for kind in [WindowFunction.Kind.hann, .hamming, .blackman] {
            let op = WindowFunction(kind, isPeriodic: false)
            let one = try answer(op, [Tensor(scalar: Int64(1))], set)
            #expect(one.count == 1 && one[0].isNaN)
            #expect(try answer(op, [Tensor(scalar: Int64(0))], set).isEmpty)
            let whole = WindowFunction(kind, isPeriodic: false, element: .int32)
            #expect(try run(whole, [Tensor(scalar: Int64(1))], on: set)[0].integers == [0])
        }
        let counts = [Int64(2), 8, 100].map { Tensor(scalar: $0) }
        #expect(throws: Misfit.self) {
            try run(
                MelWeightMatrix(), counts + [Tensor(scalar: Float.nan), Tensor(scalar: Float(40))], on: set)
        }
    }
}
