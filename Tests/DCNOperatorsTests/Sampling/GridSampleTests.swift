import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Sampling")
struct GridSampleTests {
    @Test(
        "both layouts agree with double precision",
        arguments: [GridSample.Interpolation.linear, .nearest, .cubic],
        [GridSample.Outside.zeros, .border, .reflection])
    func layouts(interpolation: GridSample.Interpolation, outside: GridSample.Outside) throws {
        let x = shuffled([2, 18, 5, 7])
        let points: [Float] = (0..<48).map { (index: Int) -> Float in Float(index * 31 % 53) / 16 - 1.6 }
        let grid = try #require(Tensor(extents: [2, 4, 3, 2], points))
        for aligns in [false, true] {
            let op = GridSample(interpolation, outside: outside, alignsCorners: aligns)
            let expected = try run(op, [doubled(x), doubled(grid)])[0]
            let values = try #require(
                Tensor(extents: expected.extents, expected.elements(as: Double.self).map { Float($0) }))
            for set in InstructionSet.available {
                let rows = try run(op, [x, grid], on: set)[0].elements(as: Float.self)
                let last = try run(op, [channelsLast(x), grid], on: set)[0].elements(as: Float.self)
                #expect(distance(rows, expected.elements(as: Double.self)) < 1e-4)
                #expect(
                    distance(last, channelsLast(values).elements(as: Float.self).map { Double($0) }) < 1e-4)
            }
        }
    }

    @Test("one axis and four do as two and three do", arguments: [1, 4])
    func axes(_ axes: Int) throws {
        let image = try #require(Tensor(extents: [1, 1, 3], [Float(10), 20, 40]))
        let points: [Float] = [-1, -0.5, 0, 1.5]
        let x = try #require(image.reshaped(to: [1, 1] + Array(repeating: 1, count: axes - 1) + [3]))
        let grid = try #require(
            Tensor(
                extents: [1] + Array(repeating: 1, count: axes - 1) + [4, axes],
                points.flatMap { [$0] + Array(repeating: 0, count: axes - 1) }))
        var op = GridSample(alignsCorners: true)
        #expect(try run(op, [x, grid])[0].elements(as: Float.self) == [10, 15, 20, 20])
        op.outside = .border
        #expect(try run(op, [x, grid])[0].elements(as: Float.self) == [10, 15, 20, 40])
        #expect(try run(op, [x, grid])[0].extents == [1, 1] + Array(repeating: 1, count: axes - 1) + [4])
    }

    @Test("booleans, pairs and strings are sampled")
    func otherTypes() throws {
        let grid = try #require(Tensor(extents: [1, 1, 3, 2], [Float(-1), 0, 0, 0, 3, 0]))
        let bools = try #require(Tensor(TensorType(.bool, extents: [1, 1, 1, 2]), bytesOf: [UInt8(0), 1]))
        let linear = GridSample(alignsCorners: true)
        #expect(try run(linear, [bools, grid])[0].elements(as: UInt8.self) == [0, 1, 0])
        let pairs = try #require(
            Tensor(TensorType(.complex64, extents: [1, 1, 1, 2]), bytesOf: [Float(1), 2, 3, -4]))
        let sampled = try run(linear, [pairs, grid])[0]
        #expect(sampled.type == TensorType(.complex64, extents: [1, 1, 1, 3]))
        #expect(sampled.withBytes { Array($0.bindMemory(to: Float.self)) } == [1, 2, 2, -1, 0, 0])
        let strings = try #require(
            Tensor(extents: [1, 1, 1, 2], strings: [ByteString("a"), ByteString("b")]))
        let nearest = GridSample(.nearest, alignsCorners: true)
        #expect(try run(nearest, [strings, grid])[0].strings.map(\.text) == ["a", "a", ""])
        #expect(throws: (any Error).self) { try run(linear, [strings, grid]) }
    }

    @Test("the grid of the identity gives the image back")
    func identity() throws {
        let x = shuffled([1, 2, 4, 5])
        let theta = Tensor(extents: [1, 2, 3], [Float(1), 0, 0, 0, 1, 0])
        let grid = try run(AffineGrid(), [theta, Tensor(vector: [Int64(1), 2, 4, 5])])[0]
        let y = try run(GridSample(), [x, grid])[0].elements(as: Float.self)
        #expect(distance(y, doubled(x).elements(as: Double.self)) < 1e-5)
    }
}
