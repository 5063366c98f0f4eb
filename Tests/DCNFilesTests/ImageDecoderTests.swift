import DCN
import DCNFiles
import Testing

@Suite("Pictures decoded by a model")
struct ImageDecoderTests {
    private func decode(_ bytes: [UInt8], _ format: ImageDecoder.PixelFormat = .rgb) throws -> Tensor {
        let given = try evaluate(
            ImageDecoder(format: format), [.tensor(Tensor(vector: bytes))], outputCount: 1,
            instructionSet: .baseline, byteLimit: 1 << 20)
        return try #require(given.first?.tensor)
    }

    private func pixels(_ bytes: [UInt8], _ format: ImageDecoder.PixelFormat = .rgb) throws -> [UInt8] {
        try decode(bytes, format).elements(as: UInt8.self)
    }

    private func little(_ value: Int, _ width: Int) -> [UInt8] {
        (0..<width).map { UInt8(value >> (8 * $0) & 255) }
    }

    /// A BMP of given rows as they lie in the file.
    private func bitmap(width: Int, height: Int, bits: Int, palette: [UInt8] = [], _ rows: [UInt8]) -> [UInt8]
    {
        let start = 54 + palette.count
        var bytes = Array("BM".utf8) + little(start + rows.count, 4) + little(0, 4) + little(start, 4)
        bytes += little(40, 4) + little(width, 4) + little(height, 4) + little(1, 2) + little(bits, 2)
        bytes += little(0, 16) + little(palette.count / 4, 4) + little(0, 4)
        return bytes + palette + rows
    }

    private let colours: [UInt8] = [1, 2, 3, 40, 50, 60]

    @Test("portable pictures of all kinds")
    func portable() throws {
        #expect(try pixels(Array("P6\n# two\n2 1 255\n".utf8) + colours) == colours)
        #expect(try pixels(Array("P3 2 1 255 1 2 3 40 50 60".utf8)) == colours)
        #expect(try pixels(Array("P5 1 2 15\n".utf8) + [0, 15]) == [0, 0, 0, 255, 255, 255])
        #expect(try pixels(Array("P2 1 1 65535 65535".utf8)) == [255, 255, 255])
        #expect(try pixels(Array("P5 1 1 65535 ".utf8) + [255, 255]) == [255, 255, 255])
        #expect(try pixels(Array("P1 2 1 01".utf8)) == [255, 255, 255, 0, 0, 0])
        #expect(try pixels(Array("P4 2 1\n".utf8) + [0b0100_0000]) == [255, 255, 255, 0, 0, 0])
    }

    @Test("bitmaps upside down, the right way up, and of a palette")
    func bitmaps() throws {
        let low: [UInt8] = [3, 2, 1, 0]
        let high: [UInt8] = [60, 50, 40, 0]
        #expect(try pixels(bitmap(width: 1, height: 2, bits: 24, high + low)) == colours)
        #expect(try pixels(bitmap(width: 1, height: -2, bits: 32, low + high)) == colours)
        for bits in [1, 4, 8] {
            let row = UInt8(1 << (8 - bits))
            let both = bitmap(
                width: 1, height: -2, bits: bits, palette: low + high, [0, 0, 0, 0, row, 0, 0, 0])
            #expect(try pixels(both) == colours)
        }
        let beyond = bitmap(width: 1, height: 1, bits: 8, palette: low, [7, 0, 0, 0])
        #expect(try decode(beyond).extents == [0, 0, 3])
    }

    @Test("channels turned round, and brightness")
    func formats() throws {
        let file = Array("P6 2 1 255 ".utf8) + colours
        #expect(try pixels(file, .bgr) == [3, 2, 1, 60, 50, 40])
        #expect(try decode(file, .grey).extents == [1, 2, 1])
        #expect(try pixels(file, .grey) == [2, 48])
    }

    @Test("what is cut anywhere is no picture")
    func truncation() throws {
        let files = [
            Array("P6 2 1 255 ".utf8) + colours, bitmap(width: 1, height: 1, bits: 24, [1, 2, 3, 0]),
            Array("P3 2 1 255 1 2 3 40 50 ".utf8),
        ]
        for file in files {
            for count in 0..<file.count { #expect(try decode(Array(file[..<count])).extents == [0, 0, 3]) }
        }
        #expect(try decode(bitmap(width: 1 << 30, height: 1 << 30, bits: 32, [])).extents == [0, 0, 3])
    }

    @Test("other kinds are refused by name", arguments: ["II*\0", "RIFF\0\0\0\0WEBP", "\0\0\0\u{C}jP  "])
    func others(start: String) {
        #expect(throws: Misfit.self) { try decode(Array(start.utf8)) }
    }
}
