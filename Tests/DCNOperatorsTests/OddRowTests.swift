import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings of operators that join elements say of NaN, infinities and tensors without elements.
@Suite("Rows of numbers at the edge")
struct OddRowTests {
    private static let sets = InstructionSet.available
    private let infinity = Float.infinity

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    private func answer(_ op: any Operator, _ inputs: [Tensor], _ set: InstructionSet) throws -> [Float] {
        try run(op, inputs, on: set)[0].elements(as: Float.self)
    }

    private func same(_ got: [Float], _ expected: [Float]) -> Bool {
        got.count == expected.count && zip(got, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    /// Two rows of 33 numbers, the first with an odd one in it.
    private func rows(_ odd: Float) -> [Float] {
        var values = (0..<66).map { Float($0 % 5) - 1.5 }
        values[20] = odd
        return values
    }

    @Test("what is not finite makes its group NaN, and no other", arguments: sets, [Float.nan, .infinity])
    func normalisation(_ set: InstructionSet, _ odd: Float) throws {
        let one = Tensor(vector: [Float](repeating: 1, count: 33)),
            zero = Tensor(vector: [Float](repeating: 0, count: 33))
        let pair = Tensor(vector: [Float(1), 1]), none = Tensor(vector: [Float(0), 0])
        let cases: [(any Operator, [Tensor])] = [
            (LayerNormalization(axis: -1), [try tensor([2, 33], rows(odd)), one, zero]),
            (
                SkipLayerNormalization(),
                [try tensor([2, 33], rows(odd)), try tensor([2, 33], rows(0)), one]
            ),
            (GroupNormalization(groups: nil), [try tensor([1, 2, 33], rows(odd)), pair, none]),
            (MeanVarianceNormalization(axes: [2]), [try tensor([1, 2, 33], rows(odd))]),
        ]
        for (op, inputs) in cases {
            let got = try answer(op, inputs, set)
            #expect(got.prefix(33).allSatisfy { $0.isNaN }, "\(op): \(got.prefix(33))")
            #expect(got.suffix(33).allSatisfy { $0.isFinite }, "\(op): \(got.suffix(33))")
        }
        let batch = try answer(
            BatchNormalization(), [try tensor([1, 2, 33], rows(odd)), pair, none, none, pair], set)
        #expect(batch.count { !$0.isFinite } == 1)
    }

    @Test(
        "a variance beyond the greatest number leaves the bias, and a large mean its digits", arguments: sets)
    func variances(_ set: InstructionSet) throws {
        let pair = Tensor(vector: [Float(1), 1]), two = Tensor(vector: [Float(2), 2])
        let far = try answer(
            LayerNormalization(axis: -1), [try tensor([1, 2], [1e30, -1e30]), pair, two], set)
        let groups = GroupNormalization(groups: 1)
        #expect(far == [2, 2])
        #expect(try answer(groups, [try tensor([1, 2, 1], [1e30, -1e30]), pair, two], set) == [2, 2])
        let close = try answer(
            groups, [try tensor([1, 2, 2], [1e6, 1e6 + 1, 1e6 + 2, 1e6 + 3]), pair, two], set)
        let expected = [-1.5, -0.5, 0.5, 1.5].map { Float(2 + $0 / 1.25001.squareRoot()) }
        #expect(zip(close, expected).allSatisfy { abs($0 - $1) < 1e-5 }, "\(close)")
        let alone = try answer(
            GroupNormalization(groups: nil), [try tensor([1, 2, 1], [1e30, 7]), pair, two], set)
        #expect(alone == [2, 2])
    }

    @Test("an infinite norm leaves NaN where the infinity was, and zeros", arguments: sets)
    func norms(_ set: InstructionSet) throws {
        let x = try tensor([1, 2, 33], rows(infinity)), one = Tensor(vector: [Float](repeating: 1, count: 33))
        for (op, inputs) in [
            (LpNormalization(), [x]), (LayerNormalization(axis: -1, isSimplified: true), [x, one]),
        ] as [(any Operator, [Tensor])] {
            let got = try answer(op, inputs, set)
            #expect(got[20].isNaN && got.prefix(33).count { $0 == 0 } == 32, "\(op): \(got)")
            #expect(got.suffix(33).allSatisfy { $0.isFinite && $0 != 0 }, "\(op): \(got)")
        }
        let channels = try tensor([1, 4, 1, 1], [infinity, 1, 1, .nan])
        let got = try answer(LocalResponseNormalization(size: 3), [channels], set)
        #expect(same(got, [.nan, 0, .nan, .nan]), "\(got)")
    }

    @Test("planes with NaN, and planes of nothing", arguments: sets)
    func planes(_ set: InstructionSet) throws {
        for pooling in [
            Pooling.maximum, .average(countsPadding: false), .norm(order: 1), .norm(order: 2),
            .norm(order: 3),
        ] {
            let got = try answer(GlobalPool(pooling), [try tensor([1, 2, 33], rows(.nan))], set)
            #expect(got[0].isNaN && got[1].isFinite, "\(pooling): \(got)")
        }
        let nothing = try tensor([1, 2, 0, 3], [])
        #expect(try answer(GlobalPool(.maximum), [nothing], set) == [-infinity, -infinity])
        #expect(same(try answer(GlobalPool(.average(countsPadding: false)), [nothing], set), [.nan, .nan]))
        #expect(try answer(GlobalPool(.norm(order: 2)), [nothing], set) == [0, 0])
    }

    @Test("reductions with NaN, and of nothing", arguments: sets)
    func reductions(_ set: InstructionSet) throws {
        let axes = Tensor(vector: [Int64(1)]), nothing = try tensor([1, 0], [])
        let expected: [ReduceKind: Float] = [
            .sum: 0, .product: 1, .maximum: -infinity, .minimum: infinity, .sumSquare: 0, .l1: 0, .l2: 0,
            .logSum: -infinity, .logSumExp: -infinity, .mean: .nan,
        ]
        for kind in ReduceKind.allCases {
            let got = try answer(Reduce(kind), [try tensor([2, 33], rows(.nan)), axes], set)
            #expect(got[0].isNaN, "\(kind): \(got)")
            let empty = try answer(Reduce(kind), [nothing, axes], set)
            #expect(same(empty, [expected[kind] ?? 0]), "\(kind): \(empty)")
        }
        for least in [false, true] {
            let got = try run(ArgExtreme(least: least, axis: 1), [try tensor([2, 33], rows(.nan))], on: set)
            #expect(got[0].integers?[0] == 20)
        }
    }

    @Test("sums of products of nothing are 0, and 0 · ∞ is NaN", arguments: sets)
    func products(_ set: InstructionSet) throws {
        let left = try tensor([2, 0], []), right = try tensor([0, 3], [])
        #expect(try answer(MatMul(), [left, right], set) == [0, 0, 0, 0, 0, 0])
        #expect(try answer(Einsum("ij,jk->ik"), [left, right], set) == [0, 0, 0, 0, 0, 0])
        let got = try answer(
            MatMul(), [try tensor([2, 1], [0, 1]), try tensor([1, 2], [infinity, .nan])], set)
        #expect(same(got, [.nan, .nan, infinity, .nan]), "\(got)")
    }

    @Test("running results behind a NaN are NaN", arguments: sets)
    func running(_ set: InstructionSet) throws {
        let axis = Tensor(scalar: Int64(0)), x = Tensor(vector: [Float(1), .nan, 2])
        #expect(same(try answer(CumSum(), [x, axis], set), [1, .nan, .nan]))
        #expect(same(try answer(CumProd(), [x, axis], set), [1, .nan, .nan]))
        #expect(same(try answer(CumSum(isExclusive: true), [x, axis], set), [0, 1, .nan]))
        #expect(same(try answer(CumProd(isExclusive: true), [x, axis], set), [1, 1, .nan]))
        let plane = try tensor([1, 1, 1, 3], [1, .nan, 2])
        #expect(same(try answer(CornerPool(direction: .right), [plane], set), [1, .nan, .nan]))
    }

    @Test("NaN is not zero, −0 is", arguments: sets)
    func nonZero(_ set: InstructionSet) throws {
        let x = Tensor(vector: [Float(0), .nan, -0.0, -.infinity])
        #expect(try run(NonZero(), [x], on: set)[0].integers == [1, 3])
    }

    @Test("NaN of a float8 stays", arguments: sets)
    func dequantised(_ set: InstructionSet) throws {
        let x = try #require(
            Tensor(TensorType(.float8e4m3fn, extents: [2]), bytesOf: [0x7F, 0x38] as [UInt8]))
        let got = try answer(DequantizeLinear(), [x, Tensor(scalar: Float(2))], set)
        #expect(same(got, [.nan, 2]), "\(got)")
    }

    @Test("a window of a convolution that holds NaN or ∞ does not give a number", arguments: sets)
    func convolution(_ set: InstructionSet) throws {
        var conv = Conv()
        conv.window.kernel = [3, 3]
        let weight = try tensor([4, 2, 3, 3], [Float](repeating: 0.5, count: 72))
        for odd in [Float.nan, .infinity] {
            var values = [Float](repeating: 1, count: 2 * 7 * 7)
            values[3 * 7 + 3] = odd
            let got = try answer(conv, [try tensor([1, 2, 7, 7], values), weight], set)
            for (index, value) in got.enumerated() {
                let holds = (1...3).contains(index / 5 % 5) && (1...3).contains(index % 5)
                #expect(value.isFinite != holds, "\(index): \(value)")
            }
        }
        #expect(try run(conv, [try tensor([0, 2, 7, 7], []), weight], on: set)[0].extents == [0, 4, 5, 5])
    }
}
