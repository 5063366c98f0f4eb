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
