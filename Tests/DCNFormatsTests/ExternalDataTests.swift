import DCNFormats
import DCNGraph
import Foundation
import Testing

/// A folder that goes away with the test.
final class TemporaryFolder {
    let path: String

    init() throws {
        let folder = FileManager.default.temporaryDirectory.resolvingSymlinksInPath()
        path = folder.appendingPathComponent("dcn-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func write(_ name: String, _ bytes: [UInt8]) throws {
        let url = URL(fileURLWithPath: path + "/" + name)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: path + "/" + name, withDestinationPath: target)
    }
}

@Suite("External data")
struct ExternalDataTests {
    let numbers: [Float] = [1, 2, 3, 4]
    var data: [UInt8] { numbers.flatMap { Proto.littleEndian($0.bitPattern) } }

    func model(_ entries: [(String, String)], extent: Int = 4, more: Proto = Proto()) -> [UInt8] {
        let external = entries.map { Proto.message(13, .text(1, $0.0), .text(2, $0.1)) }
        return Onnx.model([
            .bytes(5, Onnx.tensor(type: 1, [extent], Proto(external), .int(14, 1), more).bytes)
        ])
    }

    func outcome(_ path: String) -> String {
        do {
            let model = try readOnnx(contentsOf: path)
            return "\(model.graph.initialisers[0].tensor.aligned().elements(as: Float.self))"
        } catch {
            return "\(error.kind): "
                + "\(error)".replacing(path + ": graph.initializer[0] 'w': read: ", with: "")
        }
    }

    @Test("numbers are read from a neighbour, from the whole file or from a part")
    func read() throws {
        let folder = try TemporaryFolder()
        try folder.write("w.bin", data)
        try folder.write("parts/deep.bin", [0] + data + [9])
        try folder.write("m.onnx", model([("location", "w.bin")]))
        #expect(outcome(folder.path + "/m.onnx") == "[1.0, 2.0, 3.0, 4.0]")
        try folder.write(
            "m.onnx", model([("location", "w.bin"), ("offset", "8"), ("length", "8")], extent: 2))
        #expect(outcome(folder.path + "/m.onnx") == "[3.0, 4.0]")
        try folder.write(
            "m.onnx", model([("location", "./parts/deep.bin"), ("offset", "1"), ("checksum", "x")]))
        #expect(outcome(folder.path + "/m.onnx") == "[1.0, 2.0, 3.0, 4.0]")
    }

    @Test(
        "offsets and lengths that don't fit are refused",
        arguments: [
            ([("offset", "4")], "has 16 bytes at offset 4 of another file, which has 16"),
            ([("length", "8")], "has 8 bytes in another file, expected 16"),
            ([("offset", "-1")], "external data has offset '-1'"),
            ([("offset", "+1")], "external data has offset '+1'"),
            ([("offset", "99999999999999999999")], "external data has offset '99999999999999999999'"),
            (
                [("offset", "9223372036854775807")],
                "has 16 bytes at offset 9223372036854775807 of another file, which has 16"
            ),
            ([("length", "0x10")], "external data has length '0x10'"),
        ] as [([(String, String)], String)])
    func ranges(entries: [(String, String)], expected: String) throws {
        let folder = try TemporaryFolder()
        try folder.write("w.bin", data)
        try folder.write("m.onnx", model([("location", "w.bin")] + entries))
        #expect(outcome(folder.path + "/m.onnx") == "model: " + expected)
    }

    @Test(
        "locations outside the folder, and ones that are no file",
        arguments: [
            ("../w.bin", "a path that leads upwards"), ("a/../w.bin", "a path that leads upwards"),
            ("/etc/hostname", "an absolute path"), ("", "without a location"),
            ("w.bin\0.x", "a location with a NUL"),
            ("none.bin", "that is not there"), ("folder", "is no regular file"),
            ("out", "outside the model's folder"),
            ("outer/w.bin", "outside the model's folder"), ("pipe", "is no regular file"),
        ])
    func locations(location: String, expected: String) throws {
        let (folder, outside) = (try TemporaryFolder(), try TemporaryFolder())
        try outside.write("w.bin", data)
        try folder.write("w.bin", data)
        try folder.write("folder/x", [])
        try folder.link("out", to: outside.path + "/w.bin")
        try folder.link("outer", to: outside.path)
        mkfifo(folder.path + "/pipe", 0o600)
        try folder.write("m.onnx", model([("location", location)]))
        let text = outcome(folder.path + "/m.onnx")
        #expect(text.hasPrefix("model: ") && text.contains(expected), "\(text)")
    }

    @Test("a link is fine when it leads to the model's folder, as named or as the model resolves")
    func links() throws {
        let (blobs, snapshot) = (try TemporaryFolder(), try TemporaryFolder())
        try blobs.write("aaa", model([("location", "w.bin")]))
        try blobs.write("bbb", data)
        try snapshot.link("m.onnx", to: blobs.path + "/aaa")
        try snapshot.link("w.bin", to: blobs.path + "/bbb")
        #expect(outcome(snapshot.path + "/m.onnx") == "[1.0, 2.0, 3.0, 4.0]")
        try blobs.write("w.bin", data)
        let elsewhere = try TemporaryFolder()
        try elsewhere.link("named.onnx", to: blobs.path + "/aaa")
        #expect(outcome(elsewhere.path + "/named.onnx") == "[1.0, 2.0, 3.0, 4.0]")
    }

    @Test("data here and there, strings, and a model in memory")
    func contradictions() throws {
        let folder = try TemporaryFolder()
        try folder.write("w.bin", data)
        try folder.write("m.onnx", model([("location", "w.bin")], more: .float(4, 1)))
        #expect(outcome(folder.path + "/m.onnx") == "model: has data here and in another file")
        #expect(
            DCNFormatsTests.outcome(model([("location", "w.bin")])).contains("a model that lies in no folder")
        )
        #expect(outcome(folder.path + "/none.onnx").hasPrefix("system: "))
        #expect(outcome(folder.path).hasPrefix("system: "))
    }

    @Test("tensors outlive the model that they were read from")
    func lifetime() throws {
        let folder = try TemporaryFolder()
        let raw = Onnx.model([.bytes(5, Onnx.tensor(type: 1, [4], .bytes(9, data)).bytes)])
        try folder.write("m.onnx", raw)
        for mapping in [FileMapping.mapped, .copied] {
            let tensor = try readOnnx(contentsOf: folder.path + "/m.onnx", mapping: mapping).graph
                .initialisers[0]
                .tensor
            #expect(tensor.aligned().elements(as: Float.self) == numbers)
        }
    }
}
