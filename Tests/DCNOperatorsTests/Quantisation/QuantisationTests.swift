import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Quantisation")
struct QuantisationTests {
    @Test(
        "products of bytes agree with sums written out",
        arguments: [(2, 3, 4), (1, 7, 1), (0, 2, 3), (2, 0, 3)])
    func product(rows: Int, inner: Int, columns: Int) throws {
        let a = (0..<rows * inner).map { UInt8(truncatingIfNeeded: $0 &* 97 &+ 13) }
        let b = (0..<inner * columns).map { Int8(truncatingIfNeeded: $0 &* 53 &- 90) }
        let inputs = [
            Tensor(extents: [rows, inner], a), Tensor(extents: [inner, columns], b),
            Tensor(scalar: UInt8(100)),
            Tensor(vector: (0..<columns).map { Int8($0) }),
        ]
        let y = try run(MatMulInteger(), inputs)[0].elements(as: Int32.self)
        let expected = (0..<rows * columns).map { place in
            (0..<inner).reduce(Int32(0)) { sum, k in
                let first = Int32(a[place / columns * inner + k]) - 100
                return sum + first * (Int32(b[k * columns + place % columns]) - Int32(place % columns))
            }
        }
        #expect(y == expected)
    }

    @Test("convolutions of bytes agree with sums written out", arguments: [1, 2], [0, 1, 2])
    func convolution(stride: Int, pad: Int) throws {
        let x = (0..<2 * 5 * 6).map { UInt8(truncatingIfNeeded: $0 &* 71) }
        let w = (0..<2 * 1 * 3 * 2).map { Int8(truncatingIfNeeded: $0 &* 37 &- 50) }
        var window = Window()
        window.strides = [stride, stride]
        window.pads = [pad, pad, pad, pad]
        let inputs = [
            Tensor(extents: [1, 2, 5, 6], x), Tensor(extents: [2, 1, 3, 2], w), Tensor(scalar: UInt8(7)),
            Tensor(vector: [Int8(1), -2]),
        ]
        let y = try run(ConvInteger(window, groups: 2), inputs)[0]
        let (height, width) = (y.extents[2], y.extents[3])
        let expected = (0..<y.count).map { place -> Int32 in
            let (o, p) = place.quotientAndRemainder(dividingBy: height * width)
            var sum: Int32 = 0
            for tap in 0..<6 {
                let row = p / width * stride - pad + tap / 2
                let column = p % width * stride - pad + tap % 2
                guard (0..<5).contains(row), (0..<6).contains(column) else { continue }
                sum += (Int32(x[(o * 5 + row) * 6 + column]) - 7) * (Int32(w[o * 6 + tap]) - [1, -2][o])
            }
            return sum
        }
        #expect(y.elements(as: Int32.self) == expected)
    }

    @Test("scales for all, for each index and for each block")
    func granularities() throws {
        let x = Tensor(extents: [2, 4], [Float(1), 2, 3, 4, 5, 6, 7, 8])
        let one = try run(QuantizeLinear(), [x, Tensor(scalar: Float(2))])[0]
        #expect(one.elements(as: UInt8.self) == [0, 1, 2, 2, 2, 3, 4, 4])
        let each = try run(
            QuantizeLinear(axis: 0), [x, Tensor(vector: [Float(1), 0.5]), Tensor(vector: [Int8(1), 0])])[0]
        #expect(each.elements(as: Int8.self) == [2, 3, 4, 5, 10, 12, 14, 16])
        let scales = Tensor(extents: [2, 2], [Float(1), 2, 4, 8])
        let blocks = try run(QuantizeLinear(axis: 1, blockSize: 2, element: .int4), [x, scales, nil])[0]
        let back = try run(DequantizeLinear(axis: 1, blockSize: 2), [blocks, scales])[0].elements(
            as: Float.self)
        #expect(back == [1, 2, 4, 4, 4, 8, 8, 8])
        #expect(throws: Misfit.self) {
            try run(QuantizeLinear(axis: 1), [x, Tensor(vector: [Float(1), 2])])
        }
    }

    @Test("a range of no width, of infinity and of NaN is quantised without harm")
    func dynamic() throws {
        for values in [[Float(0), 0], [.infinity, 1], [.nan, -1], [-.infinity, .infinity]] {
            #expect(try run(DynamicQuantizeLinear(), [Tensor(vector: values)], outputs: 3).count == 3)
        }
        let zeros = try run(DynamicQuantizeLinear(), [Tensor(vector: [Float(0), 0])], outputs: 3)
        #expect(zeros[0].elements(as: UInt8.self) == [0, 0] && zeros[1].elements(as: Float.self) == [1])
        let y = try run(DynamicQuantizeLinear(), [Tensor(vector: [Float(-1), 0, 1.55])], outputs: 3)
        #expect(y[0].elements(as: UInt8.self) == [0, 100, 255] && y[2].elements(as: UInt8.self) == [100])
    }

    @Test("random numbers come back with their seed and have their distribution")
    func random() throws {
        let normal = RandomTensor(
            .normal(mean: 3, deviation: 2), extents: [10_000], element: .float64, seed: 7)
        let values = try run(normal, [])[0].elements(as: Double.self)
        let again = try run(normal, [])[0].elements(as: Double.self)
        let mean = values.reduce(0, +) / 10_000
        let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / 10_000
        #expect(values == again && abs(mean - 3) < 0.1 && abs(variance - 4) < 0.3)
        let uniform = RandomTensor(.uniform(low: -1, high: 2), extents: [1000], element: .float32, seed: 7)
        let spread = try run(uniform, [])[0].elements(as: Float.self)
        #expect(
            spread.allSatisfy { $0 >= -1 && $0 < 2 } && spread.contains { $0 < -0.9 }
                && spread.contains { $0 > 1.9 })
    }
}
