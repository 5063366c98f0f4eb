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

    @Test("the grid of the identity gives the image back")
    func identity() throws {
        let x = shuffled([1, 2, 4, 5])
        let theta = Tensor(extents: [1, 2, 3], [Float(1), 0, 0, 0, 1, 0])
        let grid = try run(AffineGrid(), [theta, Tensor(vector: [Int64(1), 2, 4, 5])])[0]
        let y = try run(GridSample(), [x, grid])[0].elements(as: Float.self)
        #expect(distance(y, doubled(x).elements(as: Double.self)) < 1e-5)
    }
}
