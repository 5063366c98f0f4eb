import Foundation
import Testing

@Suite("dcn-convert")
struct ConvertTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func convert(_ arguments: String...) throws -> Outcome { try run("dcn-convert", arguments) }
    private let model = fixture("first/deform-conv-19/model.onnx")

    @Test("writes either form, whole, and verifies it")
    func done() throws {
        for name in ["out.dcn", "out.onnx"] {
            let outcome = try convert(model, "-o", folder.path + "/" + name, "--verify", "2")
            #expect(outcome.code == 0)
            #expect(outcome.output.contains("wrote "))
        }
        #expect(folder.names == ["out.dcn", "out.onnx"])
        let data = fixture("first/deform-conv-19")
        for name in folder.names {
            #expect(try run(arguments: [folder.path + "/" + name, "--test-data", data]).code == 0)
        }
    }

    @Test("results are one JSON object")
    func json() throws {
        let outcome = try convert(model, "-o", folder.path + "/out.dcn", "--json", "--explain")
        #expect(try object(outcome.output)["after"] != nil)
        #expect(try object(try convert("inspect", model, "--json", "--layers").output)["layers"] != nil)
    }

    @Test("1 when the verification fails")
    func differs() throws {
        let outcome = try convert(
            fixture("digits/digits.onnx"), "-o", folder.path + "/out.dcn", "--verify", "1", "--rtol", "0",
            "--atol", "0")
        #expect(outcome.code == 1)
    }

    @Test("2 when a model takes more memory or time than it may, and nothing is written")
    func limits() throws {
        for command in [[], ["inspect"], ["check"]] {
            let tight = try run("dcn-convert", command + [model, "--max-memory", "1K"])
            #expect(tight.code == 2, "\(command)")
            #expect(tight.errors.contains("1024"))
            #expect(try run("dcn-convert", command + [model, "--max-memory", "x"]).code == 64)
            #expect(try run("dcn-convert", command + [model, "--max-seconds", "0"]).code == 64)
        }
        let out = folder.path + "/endless.dcn"
        let endless = try folder.write("endless.onnx", ModelMaker.endless(doubles: false))
        let late = try convert(endless, "-o", out, "--verify", "1", "--max-seconds", "1")
        #expect(late.code == 2)
        #expect(late.errors.contains("time"))
        let doubling = try folder.write("doubling.onnx", ModelMaker.endless(doubles: true))
        let large = try convert(doubling, "-o", out, "--verify", "1", "--max-memory", "300M")
        #expect(large.code == 2)
        #expect(large.errors.contains("bytes"))
        #expect(try convert(model, "-o", out, "--max-memory", "1G", "--max-seconds", "60").code == 0)
        #expect(folder.names == ["doubling.onnx", "endless.dcn", "endless.onnx"])
    }

    @Test("2 for what is no model, and nothing is written")
    func broken() throws {
        let bytes = try folder.write("broken.onnx", [1, 2, 3])
        #expect(try convert(bytes).code == 2)
        #expect(folder.names == ["broken.onnx"])
        #expect(try convert("check", bytes).code == 2)
    }

    @Test("3 for operators that nobody knows, with the closest known")
    func unknown() throws {
        var maker = ModelMaker()
        maker.input("x", [1, 4])
        maker.node("Re_lu", ["x"], ["y"])
        maker.node("Own", ["x"], ["z"], domain: "acme")
        maker.output("y", [1, 4])
        maker.output("z", [1, 4])
        let file = try folder.write("unknown.onnx", maker.model)
        let outcome = try convert(file)
        #expect(outcome.code == 3)
        #expect(
            outcome.errors.contains("1 × Re_lu ('the Re_lu'): closest known is Relu in the default domain"))
        #expect(outcome.errors.contains("acme::Own"))
        #expect(try convert("check", file).code == 3)
        let map = try folder.write(
            "acme.txt",
            Array("Re_lu(x) = Relu(x)\nacme::Own(a) = LeakyRelu(a) { alpha: slope or 0.5 }\n".utf8))
        #expect(try convert(file, "--map", map, "-o", folder.path + "/out.onnx").code == 0)
    }

    @Test("all unknown operators in one report, behind one another too, with counts and what to do")
    func severalUnknown() throws {
        var maker = ModelMaker()
        maker.input("x", [1, 4])
        for (index, kind) in ["Zorblax", "Zorblax", "AcmeDCNv2Layer", "RotatedNMS_TRT", "Zorblax"]
            .enumerated()
        {
            maker.node(kind, [index == 0 ? "x" : "v\(index)"], ["v\(index + 1)"], domain: "acme")
        }
        maker.node("roi_allign", ["v5"], ["y"], domain: "torchvision")
        maker.output("y", [1, 4])
        let outcome = try convert(try folder.write("several.onnx", maker.model))
        #expect(outcome.code == 3)
        for line in [
            "4 unsupported operators", "3 × acme::Zorblax ('the Zorblax', 'the Zorblax', 'the Zorblax'): say",
            "1 × acme::AcmeDCNv2Layer ('the AcmeDCNv2Layer'): closest known is DCNv2 in every domain: say",
            "1 × acme::RotatedNMS_TRT ('the RotatedNMS_TRT'): a TensorRT plugin that others derived",
            "1 × torchvision::roi_allign ('the roi_allign'): closest known is roi_align in domain torchvision: say",
        ] {
            #expect(outcome.errors.contains(line), "\(outcome.errors)")
        }
    }

    @Test("what was raised, and what looked like it")
    func explained() throws {
        let raised = try convert(
            fixture("decompositions/grid-sample-by-tap/model.onnx"), "-o", folder.path + "/a.dcn", "--explain"
        )
        #expect(
            raised.output.contains("raise-deform-conv: 1\n  Add_178") && !raised.output.contains("not raise"))
        let kept = try convert(
            fixture("decompositions/refuse-grid-sample-border/model.onnx"), "-o", folder.path + "/b.dcn",
            "--explain")
        #expect(kept.output.contains("not raise-deform-conv: Conv_23: its samples are not bilinear ones"))
    }

    @Test("4 for shapes and outputs that do not fit the model")
    func misfit() throws {
        #expect(try convert(model, "--shape", "nobody=1", "-o", folder.path + "/a.dcn").code == 4)
        #expect(try convert(model, "--outputs", "nobody", "-o", folder.path + "/a.dcn").code == 4)
        #expect(folder.names == [])
    }

    @Test("5 when there is no such file, and no place for the other")
    func system() throws {
        #expect(try convert(folder.path + "/nothing.onnx").code == 5)
        #expect(try convert(model, "-o", folder.path + "/nowhere/out.dcn").code == 5)
    }

    @Test("64 for mistakes in the call")
    func usage() throws {
        #expect(try convert(model, "-o", folder.path + "/out.txt").code == 64)
        #expect(try convert(model, "--fuse", "magic").code == 64)
        #expect(try convert(model, "-o", folder.path + "/out.dcn", "--opset", "19").code == 64)
        #expect(try convert().code == 64)
    }

    @Test("what is supported is listed")
    func list() throws {
        let outcome = try convert("list-operators")
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("DeformConv"))
    }
}
