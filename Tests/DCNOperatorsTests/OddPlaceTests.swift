import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings of operators that sample, place, draw or quantise say of numbers that are hardly numbers.
@Suite("Places, draws and bytes at the edge")
struct OddPlaceTests {
    private static let sets = InstructionSet.available
    private let infinity = Float.infinity

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    private func answer(_ op: any Operator, _ inputs: [Tensor?], _ set: InstructionSet) throws -> [Float] {
        try run(op, inputs, on: set)[0].elements(as: Float.self)
    }

    private func same(_ got: [Float], _ expected: [Float]) -> Bool {
        got.count == expected.count && zip(got, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    @Test("features at places that are none", arguments: sets, [Float.nan, .infinity, -.infinity, 1e30])
    func aligned(_ set: InstructionSet, _ odd: Float) throws {
        let ones = try tensor([1, 1, 1, 2], [1, 1])
        let boxes = try tensor([1, 1, 2, 5], [odd, 0, 1, 1, 0, 0, 0, 1, 1, 0])
        #expect(try answer(RotatedFeatureAlign(scale: 1, points: 1), [ones, boxes], set) == [1, 2])
        let wide = try tensor([1, 1, 2, 5], [0, 0, odd, 1, 0, 0, 0, 1, 1, odd == 1e30 ? .nan : odd])
        #expect(try answer(RotatedFeatureAlign(scale: 1, points: 5), [ones, wide], set) == [2, 2])
        let planes = try tensor([1, 4, 2, 2], [Float](repeating: 3, count: 16))
        let regions = try tensor([1, 1, 4], [odd, odd, odd, odd])
        #expect(try answer(BorderAlign(poolSize: 2), [planes, regions], set) == [0, 0, 0, 0])
    }

    @Test("samples of what is odd", arguments: sets)
    func samples(_ set: InstructionSet) throws {
        let nan = Float.nan
        let planes = try tensor([1, 4, 2, 2], [nan, 3, 3, 3] + [Float](repeating: nan, count: 12))
        let box = try tensor([1, 1, 4], [0, 0, 1, 1])
        #expect(
            try answer(BorderAlign(poolSize: 1), [planes, box], set) == [3, -infinity, -infinity, -infinity])
        let cell = try tensor([1, 1, 1, 1], [infinity]), none = try tensor([1, 1, 1, 1], [0])
        #expect(try answer(Carafe(kernel: 1, groups: 1, factor: 1), [cell, none], set)[0].isNaN)
        let open = try answer(
            MaskedConv(padding: [0, 0], strides: [1, 1]),
            [
                try tensor([1, 1, 1, 3], [nan, 1, infinity]), try tensor([1, 1, 3], [nan, 1, 1]),
                try tensor([1, 1, 1, 1], [2]),
            ], set)
        #expect(open == [0, 2, infinity])
        let theta = try tensor([1, 2, 3], [1, 0, infinity, 0, 1, 0])
        let size = Tensor(vector: [Int64(1), 1, 1, 2])
        #expect(try answer(AffineGrid(), [theta, size], set) == [infinity, 0, infinity, 0])
    }

    @Test("a transposed convolution spreads what is odd as far as its kernel", arguments: sets)
    func spread(_ set: InstructionSet) throws {
        for odd in [Float.nan, infinity] {
            let x = try tensor([1, 1, 1, 4], [1, odd, 1, 1]),
                weight = try tensor([1, 3, 1, 2], [1, 1, 1, 1, 1, 1])
            var op = ConvTranspose()
            op.window.strides = [1, 2]
            let got = try answer(op, [x, weight], set)
            for (index, value) in got.enumerated() { #expect(value.isFinite != [2, 3].contains(index % 8)) }
            #expect(
                try run(op, [try tensor([0, 1, 1, 4], []), weight], on: set)[0].extents == [0, 3, 1, 8])
        }
    }

    @Test("values put back where they were", arguments: sets)
    func unpooled(_ set: InstructionSet) throws {
        let op = MaxUnpool(PoolWindow(kernel: [2], strides: [2]))
        let x = try tensor([1, 1, 3], [1, .nan, -infinity])
        let places = try #require(Tensor(extents: [1, 1, 3], [Int64(0), 0, 5]))
        #expect(same(try answer(op, [x, places], set), [.nan, 0, 0, 0, 0, -infinity]))
        let outside = try #require(Tensor(extents: [1, 1, 3], [Int64(0), -1, 5]))
        #expect(throws: Misfit.self) { try run(op, [x, outside], on: set) }
    }

    @Test("ranges and draws", arguments: sets)
    func draws(_ set: InstructionSet) throws {
        func range(_ numbers: [Float]) throws -> [Float] {
            try answer(RangeOperator(), numbers.map { Tensor(scalar: $0) }, set)
        }
        #expect(try range([0, 5, infinity]).isEmpty)
        #expect(try range([5, 0, 1]).isEmpty)
        for numbers in [[.nan, 5, 1], [0, infinity, 1], [0, 5, 0], [0, 5, .nan]] as [[Float]] {
            #expect(throws: Misfit.self) { try range(numbers) }
        }
        let odd = try tensor([3, 2], [.nan, 0, infinity, 0, -infinity, -infinity])
        #expect(try run(Multinomial(seed: 1), [odd], on: set)[0].integers == [1, 1, 1])
        let never = Tensor(vector: [Float.nan, -1, infinity])
        #expect(try answer(Bernoulli(seed: 1), [never], set) == [0, 0, 1])
    }

    @Test("indices that are none, and what is joined", arguments: sets)
    func indices(_ set: InstructionSet) throws {
        let hot = try answer(
            OneHot(),
            [
                Tensor(vector: [Float.nan, infinity, 1]), Tensor(scalar: Int64(2)),
                Tensor(vector: [Float(0), 1]),
            ],
            set)
        #expect(hot == [0, 0, 0, 0, 0, 1])
        let places = Tensor(vector: [Int64(0), 1]), data = Tensor(vector: [Float(1), .nan])
        let rows = try #require(Tensor(extents: [2, 1], [Int64(0), 1]))
        for reduction in [Reduction.max, .min] {
            let updates = Tensor(vector: [Float.nan, 2])
            let got = try answer(ScatterElements(reduction: reduction), [data, places, updates], set)
            let slices = try answer(ScatterND(reduction: reduction), [data, rows, updates], set)
            #expect((got + slices).allSatisfy { $0.isNaN })
        }
    }

    @Test("determinants of what is odd, and of nothing", arguments: sets)
    func determinants(_ set: InstructionSet) throws {
        let matrices: [Float] = [1, infinity, 0, 1, .nan, 1, 1, 1, 0, .nan, 0, 1]
        let got = try answer(Determinant(), [try tensor([3, 2, 2], matrices)], set)
        #expect(same(got, [.nan, .nan, 0]), "\(got)")
        #expect(try answer(Determinant(), [try tensor([1, 0, 0], [])], set) == [1])
    }

    /// Every operator that quantises its result, which has the scale and the zero point 7.
    private func quantising(_ scale: Float) throws -> [(any Operator, [Tensor?])] {
        func bytes(_ extents: [Int], _ values: [UInt8]) throws -> Tensor {
            try #require(Tensor(extents: extents, values))
        }
        let one = Tensor(scalar: Float(1)), zero = Tensor(scalar: UInt8(0)), seven = Tensor(scalar: UInt8(7))
        let last = Tensor(scalar: scale)
        let x: [Tensor?] = [try bytes([1, 1, 1, 2], [3, 5]), one, zero]
        let matrix: [Tensor?] = [try bytes([1, 1], [3]), one, zero]
        let kernel: [Tensor?] = [try bytes([1, 1, 1, 1], [2]), one, zero]
        return [
            (QLinearMap(.sigmoid), x + [last, seven]),
            (QLinearMap(.leakyRelu(alpha: 0.1)), x + [last, seven]),
            (QLinearArithmetic(multiplies: false), x + x + [last, seven]),
            (QLinearArithmetic(multiplies: true), x + x + [last, seven]),
            (QLinearMatMul(), matrix + matrix + [last, seven]), (QLinearConv(), x + kernel + [last, seven]),
            (QLinearGlobalAveragePool(), x + [last, seven]), (QLinearConcat(axis: 0), [last, seven] + x),
        ]
    }

    @Test("quotients that are no numbers become bytes", arguments: sets)
    func quantised(_ set: InstructionSet) throws {
        for (scale, byte) in [(Float.nan, UInt8(7)), (0, 255), (-0.0, 0), (infinity, 7)] {
            for (op, inputs) in try quantising(scale) {
                let got = try run(op, inputs, on: set)[0].elements(as: UInt8.self)
                #expect(!got.isEmpty && got.allSatisfy { $0 == byte }, "\(op) by \(scale): \(got)")
            }
        }
        let one = Tensor(scalar: Float(1)), zero = Tensor(scalar: UInt8(7))
        let nothing = try #require(Tensor(extents: [1, 2, 0, 3], [UInt8]()))
        let means = try run(QLinearGlobalAveragePool(), [nothing, one, zero, one, zero], on: set)[0]
        #expect(means.elements(as: UInt8.self) == [7, 7])
    }
}
