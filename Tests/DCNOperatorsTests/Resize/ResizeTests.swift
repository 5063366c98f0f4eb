import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Resizing")
struct ResizeTests {
    @Test(
        "both layouts agree with double precision",
        arguments: Resize.Coordinates.allCases.filter { $0 != .cropAndResize },
        [Resize.Interpolation.nearest, .linear, .cubic])
    func layouts(coordinates: Resize.Coordinates, interpolation: Resize.Interpolation) throws {
        var op = Resize(interpolation)
        op.coordinates = coordinates
        op.excludesOutside = interpolation == .cubic
        let x = shuffled([2, 17, 5, 6])
        for sizes in [[2, 17, 11, 9], [2, 17, 3, 13], [2, 17, 5, 1]] as [[Int64]] {
            let operands: [Tensor?] = [nil, nil, Tensor(vector: sizes)]
            let expected = try run(op, [doubled(x)] + operands)[0]
            let values = try #require(
                Tensor(extents: expected.extents, expected.elements(as: Double.self).map { Float($0) }))
            for set in InstructionSet.available {
                let rows = try run(op, [x] + operands, on: set)[0].elements(as: Float.self)
                let last = try run(op, [channelsLast(x)] + operands, on: set)[0].elements(as: Float.self)
                #expect(distance(rows, expected.elements(as: Double.self)) < 1e-4)
                #expect(
                    distance(last, channelsLast(values).elements(as: Float.self).map { Double($0) }) < 1e-4)
            }
        }
    }

    @Test("pairs are stretched part by part, booleans where what lies between is not 0")
    func otherTypes() throws {
        var op = Resize(.linear)
        op.coordinates = .cropAndResize
        op.extrapolation = 9
        let operands: [Tensor?] = [Tensor(vector: [Float(0), 2]), nil, Tensor(vector: [Int64(3)])]
        let pairs = try #require(
            Tensor(TensorType(.complex128, extents: [2]), bytesOf: [1, 2, 3, -4] as [Double]))
        // Places 0, 1 and 2: what is beyond the edge is the real number 9.
        let stretched = try run(op, [pairs] + operands)[0]
        #expect(stretched.type == TensorType(.complex128, extents: [3]))
        #expect(stretched.withBytes { Array($0.bindMemory(to: Double.self)) } == [1, 2, 3, -4, 9, 0])
        let bools = try #require(Tensor(TensorType(.bool, extents: [2]), bytesOf: [UInt8(0), 1]))
        let sizes: [Tensor?] = [nil, nil, Tensor(vector: [Int64(4)])]
        #expect(try run(Resize(.linear), [bools] + sizes)[0].elements(as: UInt8.self) == [0, 1, 1, 1])
        let strings = try #require(Tensor(extents: [2], strings: [ByteString("a"), ByteString("b")]))
        #expect(throws: (any Error).self) { try run(Resize(.linear), [strings] + sizes) }
        let doubled = try run(Resize(.nearest), [strings] + sizes)[0]
        #expect(doubled.strings.map(\.text) == ["a", "a", "b", "b"])
    }

    @Test("doubling repeats every cell, of any width")
    func nearest() throws {
        var op = Resize()
        op.coordinates = .asymmetric
        op.rounding = .floor
        let x = try #require(Tensor(extents: [1, 1, 1, 3], [Int16(1), 2, 3]))
        let y = try run(op, [x, nil, Tensor(vector: [Float(1), 1, 2, 2])])[0]
        #expect(y.elements(as: Int16.self) == [1, 1, 2, 2, 3, 3, 1, 1, 2, 2, 3, 3])
    }

    @Test("scales that are no scales are refused", arguments: [Float(0), -1, .nan, .infinity, 1e30])
    func refusals(scale: Float) {
        #expect(throws: Misfit.self) {
            try run(Resize(), [shuffled([2, 2]), nil, Tensor(vector: [1, scale])])
        }
    }
}
