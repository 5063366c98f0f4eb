import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Spectra")
struct SpectralTests {
    @Test("there and back again, for any length", arguments: [1, 2, 3, 7, 8, 12, 31])
    func inverse(length: Int) throws {
        let x = shuffled([2, length, 2])
        let there = try run(DFT(), [doubled(x)])[0]
        let back = try run(DFT(isInverse: true), [there])[0].elements(as: Double.self)
        #expect(distance(x.elements(as: Float.self), back) < 1e-12)
        let real = shuffled([2, length, 1])
        let half = try run(DFT(isOneSided: true), [doubled(real)])[0]
        let again = try run(
            DFT(isInverse: true, isOneSided: true), [half, Tensor(scalar: Int64(length))])[0].elements(
                as: Double.self)
        #expect(distance(real.elements(as: Float.self), again) < 1e-12)
    }

    @Test("the first bin holds the sum")
    func sum() throws {
        let x = try #require(Tensor(extents: [1, 5, 1], [1.0, 2, 3, 4, 5]))
        let bins = try run(DFT(), [x])[0].elements(as: Double.self)
        #expect(abs(bins[0] - 15) < 1e-12 && abs(bins[1]) < 1e-12)
    }
}
