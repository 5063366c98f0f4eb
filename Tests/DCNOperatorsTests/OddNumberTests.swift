import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings say of NaN, infinities, enormous positions, regions that are none and tensors without elements.
@Suite("Numbers and extents at the edge")
struct OddNumberTests {
    private static let odd: [Float] = [.nan, .infinity, -.infinity, 1e30, -1e30]
    private static let sets = InstructionSet.available

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    private func ones(_ extents: [Int]) throws -> Tensor {
        try tensor(extents, [Float](repeating: 1, count: extents.reduce(1, *)))
    }

    private func same(_ got: [Float], _ expected: [Float]) -> Bool {
        got.count == expected.count && zip(got, expected).allSatisfy { $0 == $1 || $0.isNaN && $1.isNaN }
    }

    @Test("positions that are none sample zero", arguments: sets, odd)
    func positions(_ set: InstructionSet, _ odd: Float) throws {
        var window = Window()
        window.kernel = [1, 1]
        window.strides = [1, 1]
        window.dilations = [1, 1]
        window.pads = [0, 0, 0, 0]
        let x = try ones([1, 4, 3, 3]), weight = try ones([2, 4, 1, 1])
        let offset = try tensor([1, 2, 3, 3], [odd] + [Float](repeating: 0, count: 17))
        var deformable = DeformConv()
        deformable.window = window
        let conv = try run(deformable, [x, weight, offset], on: set)[0]
        #expect(
            conv.elements(as: Float.self) == [0] + [Float](repeating: 4, count: 8) + [0]
                + [Float](repeating: 4, count: 8))

        let rows = try ones([1, 3, 3, 4]), mask = try ones([1, 3, 3, 1])
        let moves = try tensor([1, 3, 3, 2], [0, odd] + [Float](repeating: 0, count: 16))
        let sum = try run(
            DeformAggregate(window: window, groups: 1, offsetScale: 1, skipsCentre: false),
            [rows, moves, mask],
            on: set)[0]
        #expect(
            sum.elements(as: Float.self) == [Float](repeating: 0, count: 4) + [Float](repeating: 1, count: 32)
        )

        let points = try tensor([1, 1, 2, 2], [0, odd, 0, 0])
        #expect(
            try run(GridSample(), [x, points], on: set)[0].elements(as: Float.self) == [
                0, 1, 0, 1, 0, 1, 0, 1,
            ])
    }

    @Test("a pixel that is not finite spoils samples beside it", arguments: sets, [Float.nan, .infinity])
    func pixels(_ set: InstructionSet, _ odd: Float) throws {
        let bins = RegionBins(height: 1, width: 1), weight = try ones([2, 4, 1, 1])
        var deformable = DeformConv()
        deformable.window.kernel = [1, 1]
        let still = [Float](repeating: 0, count: 18)
        func spoilt(_ place: Int, _ offsets: [Float]) throws -> [Int] {
            let values = (0..<36).map { $0 % 9 == place ? odd : 1 }
            let inputs = [try tensor([1, 4, 3, 3], values), weight, try tensor([1, 2, 3, 3], offsets)]
            let got = try run(deformable, inputs, on: set)[0].elements(as: Float.self)
            return (0..<9).filter { !got[$0].isFinite && !got[$0 + 9].isFinite }
        }
        #expect(try spoilt(4, still) == [0, 1, 3, 4])
        #expect(try spoilt(0, still) == [0])
        var away = still
        away[8] = .nan
        #expect(try spoilt(0, away) == [0])
        #expect(try spoilt(2, away) == [1, 2, 8])
        let x = try tensor([1, 1, 3, 3], [odd, 1, 1, 1, 1, 1, 1, 1, 1])
        let far = try tensor([1, 5], [0, .nan, 0, 1, 1])
        #expect(try run(RoiAlign(bins), [x, far], on: set)[0].elements(as: Float.self) == [0])
        let points = try tensor([1, 1, 1, 2], [.nan, 0])
        #expect(try run(GridSample(), [x, points], on: set)[0].elements(as: Float.self) == [0])
    }

    @Test("regions that are not finite give zeros, in every pooling", arguments: sets, odd.prefix(3))
    func regions(_ set: InstructionSet, _ odd: Float) throws {
        let bins = RegionBins(height: 2, width: 2)
        let x = try ones([1, 8, 4, 4])
        let rois = try tensor([3, 5], [0, odd, 0, 3, 3, 0, 0, 0, 3, odd, 7, 0, 0, 3, 3])
        let poolings: [any Operator] = [
            RoiAlign(bins), RoiAlign(bins, mode: .maximumCorner), MaxRoiPool(bins), PrRoiPool(bins),
            DeformRoiPool(bins, displacementScale: 0.1), PSRoiPool(bins, outputChannels: 2, group: 2),
            DeformPSRoiPool(
                bins, outputChannels: 2, group: 2, part: 2, samples: [2, 2], displacementScale: 0.1),
        ]
        for pooling in poolings {
            let got = try run(pooling, [x, rois], on: set)[0].elements(as: Float.self)
            #expect(got.allSatisfy { $0 == 0 }, "\(pooling)")
        }
    }

    @Test("regions that are inverted give zeros or their least size, outside too", arguments: sets)
    func inverted(_ set: InstructionSet) throws {
        let x = try ones([1, 1, 4, 4])
        let inverted = try tensor([1, 5], [0, 3, 3, 1, 1])
        var bins = RegionBins(height: 1, width: 1)
        #expect(try run(RoiAlign(bins), [x, inverted], on: set)[0].elements(as: Float.self) == [0])
        #expect(try run(PrRoiPool(bins), [x, inverted], on: set)[0].elements(as: Float.self) == [0])
        #expect(try run(MaxRoiPool(bins), [x, inverted], on: set)[0].elements(as: Float.self) == [1])
        bins.minimum = 1
        #expect(try run(RoiAlign(bins), [x, inverted], on: set)[0].elements(as: Float.self) == [1])
        let outside = try tensor([1, 5], [0, 90, 90, 99, 99])
        for pooling in [RoiAlign(bins), MaxRoiPool(bins), PrRoiPool(bins)] as [any Operator] {
            #expect(try run(pooling, [x, outside], on: set)[0].elements(as: Float.self) == [0], "\(pooling)")
        }
    }

    @Test("activations keep NaN and go to their limits", arguments: sets)
    func activations(_ set: InstructionSet) throws {
        let tiny = Float.leastNormalMagnitude / 4
        let x = Tensor(vector: [Float.nan, .infinity, -.infinity, tiny])
        let low = Tensor(scalar: Float(-1)), high = Tensor(scalar: Float(1))
        let cases: [(any Operator, [Tensor], [Float])] = [
            (Relu(), [x], [.nan, .infinity, 0, tiny]), (Clip(), [x, low, high], [.nan, 1, -1, tiny]),
            (Sqrt(), [x], [.nan, .infinity, .nan, tiny.squareRoot()]),
            (
                Reciprocal(), [Tensor(vector: [Float.nan, .infinity, 0, -0.0])],
                [.nan, 0, .infinity, -.infinity]
            ),
            (Sign(), [x], [.nan, 1, -1, 1]), (Exp(), [x], [.nan, .infinity, 0, 1]),
        ]
        for (op, inputs, expected) in cases {
            let got = try run(op, inputs, on: set)[0].elements(as: Float.self)
            #expect(same(got, expected), "\(op): \(got)")
        }
    }

    @Test("a row with NaN, with +∞ or of −∞ only has no shares", arguments: sets)
    func softmax(_ set: InstructionSet) throws {
        let x = try tensor(
            [4, 2], [.nan, 0, .infinity, 0, -.infinity, -.infinity, -.infinity, 5])
        let got = try run(Softmax(), [x], on: set)[0].elements(as: Float.self)
        #expect(got[0].isNaN && got[1].isNaN)
        #expect(got[2].isNaN && got[3].isNaN)
        #expect(got[4].isNaN && got[5].isNaN)
        #expect(got[6] == 0 && got[7] == 1)
    }

    @Test("a maximum under a window passes NaN by", arguments: sets)
    func pooling(_ set: InstructionSet) throws {
        let pool = Pool(.maximum, PoolWindow(kernel: [1, 2], strides: [1, 2]))
        let x = try tensor([1, 1, 1, 6], [.nan, 2, 3, .nan, .nan, .nan])
        let got = try run(pool, [x], on: set)[0].elements(as: Float.self)
        #expect(same(got, [2, 3, -.infinity]), "\(got)")
    }

    @Test("NaN is quantised to the zero point, what is beyond the range to its bounds", arguments: sets)
    func quantised(_ set: InstructionSet) throws {
        let x = Tensor(vector: [Float.nan, .infinity, -.infinity, 1e30, -1e30])
        let zero = try #require(Tensor(TensorType(.uint8, extents: []), bytesOf: [UInt8(7)]))
        let got = try run(QuantizeLinear(), [x, Tensor(scalar: Float(0.5)), zero], on: set)[0]
        #expect(got.elements(as: UInt8.self) == [7, 255, 0, 255, 0])
    }

    @Test("integers wrap, and divided by zero give 0", arguments: sets)
    func integers(_ set: InstructionSet) throws {
        let a = Tensor(vector: [Int64.min, Int64.min, 5, 5]), b = Tensor(vector: [Int64(-1), 0, 0, -3])
        #expect(try run(Div(), [a, b], on: set)[0].integers == [Int.min, 0, 0, -1])
        #expect(try run(Mod(), [a, b], on: set)[0].integers == [0, 0, 0, -1])
        #expect(try run(Mod(truncates: true), [a, b], on: set)[0].integers == [0, 0, 0, 2])
        #expect(try run(Neg(), [a], on: set)[0].integers == [Int.min, Int.min, -5, -5])
        let base = Tensor(vector: [Int64(0), 2, -1, 3]), power = Tensor(vector: [Int64(-1), -2, -3, 64])
        #expect(try run(Pow(), [base, power], on: set)[0].integers == [0, 0, -1, 0x7932_278C_797E_BD01])
    }

    @Test("NaN scores are never kept, and NaN boxes suppress nobody", arguments: sets)
    func suppression(_ set: InstructionSet) throws {
        let boxes = try tensor([1, 3, 4], [0, 0, 1, 1, 0, 0, 1, 1, .nan, 0, 1, 1])
        let scores = try tensor([1, 1, 3], [.nan, 0.5, 0.9])
        let inputs = [
            boxes, scores, Tensor(scalar: Int64(9)), Tensor(scalar: Float(0.5)), Tensor(scalar: Float(0)),
        ]
        let kept = try run(NonMaxSuppression(), inputs, on: set)[0]
        #expect(kept.integers == [0, 0, 2, 0, 0, 1])
    }

    @Test("batches of nothing and lists of nothing give tensors of nothing", arguments: sets)
    func nothing(_ set: InstructionSet) throws {
        var window = Window()
        window.kernel = [1, 1]
        var deformable = DeformConv()
        deformable.window = window
        let weight = try ones([2, 4, 1, 1]), none = try tensor([0, 4, 3, 3], [])
        let bins = RegionBins(height: 2, width: 2)
        let cases: [(any Operator, [Tensor], [Int])] = [
            (deformable, [none, weight, try tensor([0, 2, 3, 3], [])], [0, 2, 3, 3]),
            (RoiAlign(bins), [try ones([1, 4, 3, 3]), try tensor([0, 5], [])], [0, 4, 2, 2]),
            (
                PSRoiPool(bins, outputChannels: 1, group: 2),
                [try ones([1, 4, 3, 3]), try tensor([0, 5], [])], [0, 1, 2, 2]
            ),
            (Softmax(), [try tensor([0, 3], [])], [0, 3]),
            (Softmax(axis: 0), [try tensor([0, 3], [])], [0, 3]),
            (GridSample(), [none, try tensor([0, 2, 2, 2], [])], [0, 4, 2, 2]),
            (Pool(.maximum, PoolWindow(kernel: [2, 2])), [none], [0, 4, 2, 2]),
        ]
        for (op, inputs, extents) in cases {
            #expect(try run(op, inputs, on: set)[0].extents == extents, "\(op)")
        }
    }
}
