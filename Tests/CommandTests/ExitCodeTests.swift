import Foundation
import Testing

@Suite("Exit codes of dcn-run")
struct ExitCodeTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func relu() throws -> String { try folder.write("relu.onnx", ModelMaker.relu) }

    @Test("0 when it ran, with a line for each output")
    func done() throws {
        let outcome = try run(arguments: [try relu(), "--input", "ones"])
        #expect(outcome.code == 0)
        #expect(outcome.output == "y  float32[1, 4]  min 1  mean 1  max 1  nan 0\n")
        #expect(outcome.errors == "")
    }

    @Test("1 when test data differ", arguments: ["conv", "deform-conv-19"])
    func differs(name: String) throws {
        let folder = fixture("first/\(name)")
        #expect(try run(arguments: ["\(folder)/model.onnx", "--test-data", folder]).code == 0)
        let strict = try run(arguments: [
            "\(folder)/model.onnx", "--test-data", folder, "--rtol", "0", "--atol", "0",
        ])
        // Sums in another order: never all the same bits, unless the model is exact.
        #expect(strict.code == 0 || strict.output.contains("MISMATCH"))
        #expect(strict.code <= 1)
    }

    @Test("1 when what is expected differs")
    func unexpected() throws {
        let model = try relu()
        let out = folder.path + "/out.npz"
        #expect(try run(arguments: [model, "--input", "ones", "-o", out]).code == 0)
        #expect(try run(arguments: [model, "--input", "ones", "--expect", out]).code == 0)
        let outcome = try run(arguments: [model, "--input", "random", "--expect", out])
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("MISMATCH"))
    }

    @Test(
        "2 for what is no model",
        arguments: [[], [0x0A], Array("not a model".utf8), [0x3A, 0xFF, 0xFF, 0xFF, 0x7F]])
    func invalid(bytes: [UInt8]) throws {
        let outcome = try run(arguments: [try folder.write("bad.onnx", bytes)])
        #expect(outcome.code == 2)
        #expect(outcome.errorLines.count == 1)
        #expect(outcome.output == "")
    }

    @Test("3 for unsupported operators, all of them listed")
    func unsupported() throws {
        var maker = ModelMaker()
        maker.input("x", [2])
        maker.output("z", [2])
        maker.node("Frobnicate", ["x"], ["y"], domain: "acme")
        maker.node("Twiddle", ["y"], ["z"], domain: "acme")
        let model = try folder.write("odd.onnx", maker.model)
        let outcome = try run(arguments: [model, "--input", "ones"])
        #expect(outcome.code == 3)
        #expect(outcome.errors.contains("Frobnicate") && outcome.errors.contains("Twiddle"))
        let said = try object(try run(arguments: [model, "--input", "ones", "--json"]).errors)
        #expect((said["unsupported"] as? [Any])?.count == 2)
        #expect(said["code"] as? Int == 3)
    }

    @Test(
        "4 for inputs that do not fit",
        arguments: [
            [], ["--input", "x=ones", "--input", "z=ones"], ["--input", "x=nowhere.npy"],
            ["--input", "x=odd.txt"],
            ["--input", "x=random:many"], ["--input", "x=ones", "--input", "x=ones"],
            ["--input", "x=ones", "--shape", "x=1,5"],
        ])
    func misfit(arguments: [String]) throws {
        let outcome = try run(arguments: [try relu()] + arguments)
        #expect(outcome.code == 4)
        #expect(outcome.errorLines.count == 1)
    }

    @Test("4 for another type, and both are named")
    func otherType() throws {
        var maker = ModelMaker()
        maker.input("x", [1, 4], element: 7)
        maker.output("y", [1, 4], element: 7)
        maker.node("Abs", ["x"], ["y"])
        let integers = try folder.write("integers.onnx", maker.model)
        let out = folder.path + "/y.npy"
        #expect(try run(arguments: [integers, "--input", "ones", "--output", "y=\(out)"]).code == 0)
        let outcome = try run(arguments: [try relu(), "--input", out])
        #expect(outcome.code == 4)
        #expect(outcome.errors.contains("int64") && outcome.errors.contains("float32"))
    }

    @Test("5 for a model that is not there")
    func missing() throws {
        let outcome = try run(arguments: [folder.path + "/none.onnx"])
        #expect(outcome.code == 5)
        #expect(outcome.errors.hasPrefix(folder.path + "/none.onnx: open: "))
    }

    @Test("5 for a folder that can't be written to")
    func noRoom() throws {
        let outcome = try run(arguments: [try relu(), "--input", "ones", "-o", folder.path + "/none/out.npz"])
        #expect(outcome.code == 5)
    }

    @Test("64 for instruction sets that nobody knows, 5 for those that are lacking")
    func instructionSets() throws {
        let model = try relu()
        #expect(try run(arguments: [model, "--input", "ones"], environment: ["DCN_ISA": "mmx"]).code == 64)
        #expect(
            try run(arguments: [model, "--input", "ones"], environment: ["DCN_ISA": "baseline"]).code == 0)
        #if arch(x86_64)
            #expect(
                try run(arguments: [model, "--input", "ones"], environment: ["DCN_ISA": "neon"]).code == 5)
        #endif
    }

    @Test(
        "64 for usage mistakes",
        arguments: [
            [], ["--no-such-option"], ["--threads", "0"], ["--threads", "x"], ["--warmup", "2"],
            ["--repeat", "0"],
            ["--max-memory", "much"], ["--max-seconds", "-1"], ["-o", "y.npy"], ["--output", "y"],
            ["--dump", "*"],
            ["--test-data", "d", "--input", "ones"], ["--shape", "x"], ["--mean", "1,2"],
            ["--accuracy", "some"],
        ])
    func usage(arguments: [String]) throws {
        let model = arguments.isEmpty ? [] : [try relu(), "--input", "ones"]
        let outcome = try run(arguments: model + arguments)
        #expect(outcome.code == 64)
        #expect(outcome.output == "" && !outcome.errors.isEmpty)
    }
}

/// The command under test with some arguments.
func run(arguments: [String], environment: [String: String] = [:]) throws -> Outcome {
    try run("dcn-run", arguments, environment: environment)
}
