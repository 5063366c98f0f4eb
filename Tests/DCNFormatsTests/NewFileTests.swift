import DCNFormats
import DCNGraph
import Testing

/// Whatever pieces a file is given in, and however they lie about the blocks it is written in, it holds their bytes.
@Suite struct NewFileTests {
    private static let block = 2 << 20

    @Test(arguments: [
        [], [0], [1, block - 1], [block], [block, block, 1], [block - 1, 2, block - 1, block],
        [3 * block + 5, 0, 7, block - 12, 1], [5, 2 * block, 2 * block - 5, 64],
    ])
    func piecesAreJoined(counts: [Int]) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/joined"
        let file = try NewFile(replacing: path)
        var expected: [UInt8] = []
        for count in counts {
            let seen = expected.count
            let piece = (seen..<seen + count).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 11) }
            try file.write(piece)
            expected += piece
        }
        #expect(file.byteCount == expected.count)
        try file.finish()
        #expect(try contents(of: path) == expected)
    }

    @Test func fillsToAMultiple() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/filled"
        let file = try NewFile(replacing: path)
        try file.write([1, 2, 3])
        try file.fill(to: 64)
        try file.fill(to: 64)
        try file.write([4])
        try file.finish()
        #expect(try contents(of: path) == [1, 2, 3] + [UInt8](repeating: 0, count: 61) + [4])
    }

    private func contents(of path: String) throws -> [UInt8] {
        let file = try MappedFile(path: path)
        return withExtendedLifetime(file) { Array(file.bytes) }
    }
}
