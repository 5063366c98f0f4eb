import DCN
import DCNFiles
import Foundation
import Testing

@Suite("dcn-run on pictures")
struct VisionCommandTests {
    private let model = fixture("digits/digits.onnx")

    @Test("detect writes what it found as JSON and as a picture")
    func detect() throws {
        let folder = try TemporaryFolder()
        let outcome = try run(arguments: [
            "detect", model, fixture("digits/scene-02.png"), "-o", folder.path, "--threshold", "0.4",
        ])
        #expect(outcome.code == 0)
        #expect(folder.names == ["scene-02.json", "scene-02.png"])
        let said = try object(String(contentsOfFile: folder.path + "/scene-02.json", encoding: .utf8))
        let found = try #require(said["detections"] as? [[String: Any]])
        #expect(found.compactMap { $0["label"] as? Int }.sorted() == [5, 7, 9])
    }

    @Test("eval prints the precision that PyTorch's answers have")
    func eval() throws {
        let outcome = try run(arguments: ["eval", model, fixture("digits"), "--json"])
        #expect(outcome.code == 0)
        let said = try object(outcome.output)
        let metrics = try object(String(contentsOfFile: fixture("digits/metrics.json"), encoding: .utf8))
        let expected = try #require((metrics["fixture"] as? [String: Any])?["PyTorch"] as? [String: Double])
        for name in ["mAP@0.5", "mAP@0.75", "mAP@[0.5:0.95]"] {
            let got = try #require(said[name] as? Double)
            #expect(abs(got - (expected[name] ?? 0)) < 1e-6, "\(name)")
        }
    }

    @Test("eval exits with 1 when a gate is not reached")
    func gates() throws {
        #expect(try run(arguments: ["eval", model, fixture("digits"), "--at-least", "0.5=0.9"]).code == 0)
        #expect(try run(arguments: ["eval", model, fixture("digits"), "--at-least", "0.5=0.99"]).code == 1)
        #expect(try run(arguments: ["eval", model, fixture("digits"), "--at-least", "0.6=0.1"]).code == 64)
        #expect(try run(arguments: ["eval", model, fixture("first")]).code == 4)
    }

    @Test("answers are PyTorch's, at any number of threads", arguments: ["1", "2", "3"])
    func expected(threads: String) throws {
        let folder = try TemporaryFolder()
        let out = folder.path + "/out.npz"
        let expected = try NpzReader(path: fixture("digits/expected.npz"))
        let got = try run(arguments: [
            model, "--input", fixture("digits/scene-00.png"), "--threads", threads, "-o", out,
        ])
        #expect(got.code == 0)
        let answer = try NpzReader(path: out)
        func values(_ archive: NpzReader, _ name: String) throws -> [Double] {
            numbers(try #require(try archive.tensor(name)))
        }
        // Scores under 0.05 are noise whose order differs between runtimes. The first scene comes first.
        let scores = try values(expected, "scores").prefix(32).prefix { $0 > 0.05 }
        #expect(scores.count > 3)
        for (name, width, most) in [("scores", 1, 1e-4), ("boxes", 4, 1e-2), ("labels", 1, 0)] {
            let pairs = zip(try values(answer, name), try values(expected, name)).prefix(scores.count * width)
            #expect(pairs.allSatisfy { abs($0 - $1) <= most }, "\(name)")
        }
    }
}
