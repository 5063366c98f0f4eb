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

    @Test("detect at several sizes merges what it finds of one thing")
    func scales() throws {
        let picture = fixture("digits/scene-02.png")
        func found(_ more: [String]) throws -> [[String: Any]] {
            let outcome = try run(arguments: ["detect", model, picture, "--json", "--quiet"] + more)
            #expect(outcome.code == 0, "\(outcome.errors)")
            return try #require(try object(outcome.output)["detections"] as? [[String: Any]])
        }
        let once = try found(["--threshold", "0.4"])
        let merged = try found(["--threshold", "0.4", "--scales", "0.8,1"])
        let labels = merged.compactMap { $0["label"] as? Int }
        #expect(Set(once.compactMap { $0["label"] as? Int }).isSubset(of: labels))
        #expect(merged.count < 2 * once.count)
        for bad in [["--scales", "0"], ["--scales", "1,,x"], ["--merge", "0"], ["--scales", "1,1.5"]] {
            #expect(try run(arguments: ["detect", model, picture] + bad).code == 64)
        }
    }

    @Test("looks at other sizes give boxes in the picture's own pixels", arguments: [true, false])
    func looks(isFixed: Bool) throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.onnx"
        try Data(boxOfRed(isFixed: isFixed)).write(to: URL(fileURLWithPath: path))
        // Columns 32 to 47 are red.
        var picture = Picture(width: 64, height: 64)
        for pixel in 0..<64 * 64 where 32..<48 ~= pixel % 64 {
            picture.rgb.replaceSubrange(3 * pixel..<3 * pixel + 3, with: [255, 0, 0])
        }
        try picture.writePng(folder.path + "/red.png")
        let outcome = try run(arguments: [
            "detect", path, folder.path + "/red.png", "--json", "--quiet", "--scales",
            isFixed ? "0.5,1" : "0.5,1,2",
        ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let found = try #require(try object(outcome.output)["detections"] as? [[String: Any]])
        #expect(found.count == 1)
        let box = try #require(found.first?["box"] as? [Double])
        #expect(abs(box[0] - 32) <= 1 && abs(box[2] - 48) <= 1, "\(box)")
    }

    /// A detector of 64 × 64 pixels, or of any size, whose box spans the red columns, and rows of the same numbers.
    private func boxOfRed(isFixed: Bool) -> [UInt8] {
        func bytes(_ values: [Int64]) -> [UInt8] {
            values.flatMap { withUnsafeBytes(of: $0.littleEndian) { Array($0) } }
        }
        func bytes(_ value: Float) -> [UInt8] {
            withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
        }
        var maker = ModelMaker()
        // Red less green of the picture, its greatest in each column: above a half where it is red.
        maker.node("Slice", ["image", "0", "1", "axis"], ["red"])
        maker.node("Slice", ["image", "1", "2", "axis"], ["green"])
        maker.node("Sub", ["red", "green"], ["redness"])
        maker.node("ReduceMax", ["redness", "axes"], ["columns"], attributes: [attribute("keepdims", 0)])
        maker.node("Greater", ["columns", "half"], ["isRed"])
        maker.node("NonZero", ["isRed"], ["places"])
        maker.node("ReduceMin", ["places"], ["first"], attributes: [attribute("keepdims", 0)])
        maker.node("ReduceMax", ["places"], ["last"], attributes: [attribute("keepdims", 0)])
        maker.node("Add", ["last", "1"], ["end"])
        maker.node("Reshape", ["first", "one"], ["left"])
        maker.node("Reshape", ["end", "one"], ["right"])
        maker.node(
            "Concat", ["left", "left", "right", "right"], ["edges"], attributes: [attribute("axis", 0)])
        maker.node("Cast", ["edges"], ["flat"], attributes: [attribute("to", 1)])
        maker.node("Reshape", ["flat", "shape"], ["boxes"])
        maker.node("Identity", ["score"], ["scores"])
        maker.node("Identity", ["label"], ["labels"])
        for (name, values) in [
            ("0", [0]), ("1", [1]), ("2", [2]), ("axis", [1]), ("axes", [0, 1, 2]), ("one", [1]),
            ("shape", [1, 1, 4]),
        ] {
            maker.constant(name, 7, [values.count], bytes(values.map(Int64.init)))
        }
        maker.constant("label", 7, [1, 1], bytes([3]))
        maker.constant("score", 1, [1, 1], bytes(0.9))
        maker.constant("half", 1, [1], bytes(0.5))
        maker.input("image", isFixed ? [1, 3, 64, 64] : [1, 3, "height", "width"])
        maker.output("boxes", [1, 1, 4])
        maker.output("scores", [1, 1])
        maker.output("labels", [1, 1], element: 7)
        return maker.model
    }

    @Test("offsets tells where every layer looks, by size of object, and draws it")
    func offsets() throws {
        let folder = try TemporaryFolder()
        let boxes = folder.path + "/boxes.json"
        try #"{"boxes": [[60, 5, 95, 65], [0, 0, 159, 159]]}"#.write(
            toFile: boxes, atomically: true, encoding: .utf8)
        let out = folder.path + "/looks"
        let outcome = try run(arguments: [
            "offsets", model, fixture("digits/scene-00.png"), "-o", out, "--boxes", boxes, "--at", "78,35",
            "--at",
            "10,10", "--enlarge", "2",
        ])
        #expect(outcome.code == 0, "\(outcome.errors)")
        let written = try FileManager.default.contentsOfDirectory(atPath: out).sorted()
        let pictures = [
            "0-magnitude", "0-points", "1-magnitude", "1-points", "2-magnitude", "3-magnitude", "4-magnitude",
        ]
        #expect(written == pictures.map { $0 + ".png" } + ["offsets.json"])
        for name in pictures {
            let drawn = try Picture(contentsOf: "\(out)/\(name).png")
            #expect(drawn.width == 320 && drawn.height == 320)
        }
        let said = try object(String(contentsOfFile: out + "/offsets.json", encoding: .utf8))
        let layers = try #require(said["layers"] as? [[String: Any]])
        #expect(layers.compactMap { $0["name"] as? String }.first == "node_deform_conv2d")
        #expect(layers.count == 5)
        for layer in layers {
            let bySize = try #require(layer["effective_dilation_by_object"] as? [String: [String: Any]])
            #expect(Set(bySize.keys) == ["small", "medium"])
            let counts = bySize.values.compactMap { $0["count"] as? Int }
            let all = try #require(layer["effective_dilation"] as? [String: Any])
            #expect(counts.reduce(0, +) == all["count"] as? Int)
        }
        for bad in [["--enlarge", "17"], ["--layer", "5"], ["--at", "1"], ["--depth", "0"]] {
            #expect(
                try run(arguments: ["offsets", model, fixture("digits/scene-00.png"), "-o", out] + bad).code
                    == 64)
        }
    }

    @Test("eval measures maps of classes by mIoU")
    func segments() throws {
        let folder = try TemporaryFolder()
        // The scores are the picture's own channels: red pixels are of class 0, green of 1, blue of 2.
        var maker = ModelMaker()
        maker.node("Identity", ["image"], ["scores"])
        maker.input("image", [1, 3, 4, 4])
        maker.output("scores", [1, 3, 4, 4])
        let path = folder.path + "/model.onnx"
        try Data(maker.model).write(to: URL(fileURLWithPath: path))
        var picture = Picture(width: 4, height: 4, colour: (255, 0, 0))
        var truth = Picture(width: 4, height: 4)
        for pixel in 0..<4 { picture.rgb.replaceSubrange(3 * pixel..<3 * pixel + 3, with: [0, 0, 255]) }
        for pixel in 0..<6 { truth.rgb.replaceSubrange(3 * pixel..<3 * pixel + 3, with: [2, 2, 2]) }
        for pixel in 12..<16 { truth.rgb.replaceSubrange(3 * pixel..<3 * pixel + 3, with: [255, 255, 255]) }
        try picture.writePng(folder.path + "/a.png")
        try truth.writePng(folder.path + "/a-classes.png")
        let list = #"[{"picture": "a.png", "classes": "a-classes.png"}]"#
        try list.write(toFile: folder.path + "/truth.json", atomically: true, encoding: .utf8)
        let outcome = try run(arguments: ["eval", path, folder.path, "--json"])
        #expect(outcome.code == 0, "\(outcome.errors)")
        // Class 2: 4 of 6; class 0: 6 of 8, for the last row does not count.
        let got = try #require(try object(outcome.output)["mIoU"] as? Double)
        #expect(abs(got - (4.0 / 6 + 6.0 / 8) / 2) < 1e-12)
        #expect(try run(arguments: ["eval", path, folder.path, "--at-least", "mIoU=0.7"]).code == 0)
        #expect(try run(arguments: ["eval", path, folder.path, "--at-least", "mIoU=0.8"]).code == 1)
        #expect(try run(arguments: ["eval", path, folder.path, "--at-least", "0.5=0.8"]).code == 64)
        try picture.writePng(folder.path + "/a-classes.png")
        #expect(try run(arguments: ["eval", path, folder.path]).code == 4)
    }
}
