import DCN
import DCNFiles
import Foundation
import Testing

@Suite("npz files")
struct NpzTests {
    private let path = FileManager.default.temporaryDirectory.appendingPathComponent(
        "dcn-\(UUID().uuidString).npz"
    ).path

    private func remove() { try? FileManager.default.removeItem(atPath: path) }

    @Test("what was written is read again")
    func roundTrip() throws {
        defer { remove() }
        let a = Tensor(vector: [1, 2, 3] as [Int64])
        let b = Tensor(scalar: Float(2.5))
        try writeNpz(path, [("a", a), ("dir/b", b)])
        let archive = try NpzReader(path: path)
        #expect(archive.names == ["a", "dir/b"])
        #expect(try archive.tensor("a")?.integers == [1, 2, 3])
        #expect(try archive.tensor("dir/b").map(numbers) == [2.5])
        #expect(try archive.tensor("c") == nil)
    }

    @Test("an archive in memory is read as a file is, and not when it is cut short")
    func inMemory() throws {
        defer { remove() }
        try writeNpz(path, [("a", Tensor(vector: [1, 2, 3] as [Int64]))])
        let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
        let archive = try NpzReader(InputFile(copying: bytes, named: "a.npz"))
        #expect(try archive.tensor("a")?.integers == [1, 2, 3])
        let error = #expect(throws: DCNError.self) {
            try NpzReader(InputFile(copying: Array(bytes.dropLast()), named: "a.npz"))
        }
        #expect(try #require(error).description.contains("a.npz"))
    }

    @Test("deflated entries of NumPy's are read")
    func deflated() throws {
        let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("fixtures/digits/expected.npz").path
        let archive = try NpzReader(path: fixture)
        #expect(try archive.tensor("boxes")?.extents == [20, 32, 4])
        let labels = try #require(try archive.tensor("labels"))
        #expect(labels.type.element == .int64)
        #expect(labels.integers?.allSatisfy { (0...9).contains($0) } == true)
        let small = try NpzReader(path: fixture, byteLimit: 1000)
        #expect(throws: DCNError.self) { try small.tensor("boxes") }
    }

    @Test("any truncation and any byte changed ends in an answer or an error")
    func damage() throws {
        defer { remove() }
        try writeNpz(path, [("a", Tensor(vector: [1, 2, 3] as [Float]))])
        let whole = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        for count in whole.indices {
            try Data(whole[..<count]).write(to: URL(fileURLWithPath: path))
            #expect(throws: DCNError.self) { try NpzReader(path: path) }
        }
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= 0xFF
            try Data(bytes).write(to: URL(fileURLWithPath: path))
            let found = try? NpzReader(path: path).tensor("a")
            // A change goes unnoticed only where it changes no element.
            if let found { #expect(numbers(found) == [1, 2, 3] || found.type.element != .float32) }
        }
    }
}
