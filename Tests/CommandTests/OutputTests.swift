import Foundation
import Testing

@Suite("What dcn-run prints and writes")
struct OutputTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func relu() throws -> String { try folder.write("relu.onnx", ModelMaker.relu) }

    @Test("measurements are one line, or one object with the promised members")
    func measurements() throws {
        let model = try relu()
        let line = try run(arguments: [model, "--input", "random", "--repeat", "3"]).output
        #expect(
            line.split(separator: " ").map { $0.split(separator: "=")[0] } == [
                "median_ms", "min_ms", "p90_ms", "peak_rss_mb",
            ])
        let text = try run(arguments: [
            model, "--input", "random", "--repeat", "5", "--warmup", "0", "--json",
        ]).output
        #expect(text.split(separator: "\n").count == 1)
        let said = try object(text)
        #expect((said["samples_ms"] as? [Any])?.count == 5)
        #expect(
            Set(said.keys) == [
                "samples_ms", "load_ms", "first_run_ms", "planned_bytes", "peak_rss_bytes", "anonymous_bytes",
                "process_ms",
            ])
    }

    @Test("sessions side by side tell runs per second")
    func sessions() throws {
        let said = try object(
            try run(arguments: [
                try relu(), "--input", "ones", "--repeat", "4", "--sessions", "3", "--threads", "1", "--json",
            ]).output)
        #expect((said["runs_per_second"] as? Double ?? 0) > 0)
        #expect((said["samples_ms"] as? [Any])?.count == 12)
    }

    @Test("every form of output is read again", arguments: ["out.npz", "out"])
    func roundTrip(name: String) throws {
        let model = try relu()
        let out = "\(folder.path)/\(name)"
        #expect(
            try run(arguments: [model, "--input", "x=random:7", "--shape", "x=3,4", "-o", out]).code == 0)
        #expect(!folder.names.contains { $0.contains(".part") })
        let input = name == "out" ? out + "/y.npy" : out
        if name == "out" {
            // Relu of what it gave is what it gave.
            #expect(
                try run(arguments: [model, "--input", "x=\(input)", "-o", folder.path + "/again.npz"]).code
                    == 0)
            #expect(
                try run(arguments: [model, "--input", "x=\(input)", "--expect", folder.path + "/again.npz"])
                    .code == 0)
        } else {
            #expect(
                try run(arguments: [model, "--input", "x=random:7", "--shape", "x=3,4", "--expect", input])
                    .code == 0)
            #expect(
                try run(arguments: [model, "--input", "x=random:8", "--shape", "x=3,4", "--expect", input])
                    .code == 1)
        }
    }

    @Test("single outputs are written as .npy and .pb, with --repeat too")
    func singleOutputs() throws {
        let out = folder.path
        let outcome = try run(arguments: [
            try relu(), "--input", "ones", "--repeat", "2", "--output", "y=\(out)/a.npy", "--output",
            "y=\(out)/b.pb",
        ])
        #expect(outcome.code == 0)
        #expect(Set(folder.names).isSuperset(of: ["a.npy", "b.pb"]))
        #expect(try run(arguments: [try relu(), "--input", "\(out)/b.pb", "-o", "\(out)/y.json"]).code == 0)
        let said = try object(String(contentsOfFile: "\(out)/y.json", encoding: .utf8))
        let value = try #require(said["y"] as? [String: Any])
        #expect(value["data"] as? [Double] == [1, 1, 1, 1])
        #expect(value["shape"] as? [Int] == [1, 4])
    }

    @Test("--check-finite finds what is not finite")
    func finite() throws {
        let model = try folder.write("quotient.onnx", ModelMaker.quotient)
        #expect(try run(arguments: [model, "--input", "ones", "--check-finite"]).code == 0)
        let outcome = try run(arguments: [model, "--input", "zeros", "--check-finite"])
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("not finite: 'y'"))
        #expect(outcome.output.contains("nan 2"))
    }

    @Test("--check-finite names the first node, what is fused being one")
    func firstNotFinite() throws {
        let model = try folder.write("weight.onnx", ModelMaker.endlessWeight)
        let outcome = try run(arguments: [model, "--input", "zeros", "--check-finite"])
        #expect(outcome.code == 1)
        #expect(outcome.output.contains("not finite: 'bent' at element 0, made by 'the Conv' (Conv)"))
    }

    @Test("profile and trace name the nodes")
    func profile() throws {
        let trace = folder.path + "/trace.json"
        let outcome = try run(arguments: [try relu(), "--input", "ones", "--profile", "--trace", trace])
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("Relu") && outcome.output.contains("share"))
        let said = try object(String(contentsOfFile: trace, encoding: .utf8))
        #expect((said["traceEvents"] as? [Any])?.count == 1)
    }

    @Test("errors with --json are one object on standard error")
    func jsonErrors() throws {
        let outcome = try run(arguments: [folder.path + "/none.onnx", "--json"])
        #expect(outcome.output == "")
        let said = try object(outcome.errors)
        #expect(said["kind"] as? String == "system" && said["code"] as? Int == 5)
        #expect(said["file"] as? String == folder.path + "/none.onnx")
    }

    @Test("help begins with examples; version is a number")
    func help() throws {
        let outcome = try run(arguments: ["--help"])
        #expect(outcome.code == 0)
        #expect(outcome.output.contains("Examples:"))
        #expect(try run(arguments: ["--version"]).output.first?.isNumber == true)
        #expect(try run(arguments: ["--generate-completion-script", "bash"]).code == 0)
    }

    @Test("a reader that goes away is no crash")
    func brokenPipe() throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        let command = try commandPath()
        process.arguments = [
            "-c", "('\(command)' '\(try relu())' --input ones; echo $? > '\(folder.path)/code') | true",
        ]
        try process.run()
        process.waitUntilExit()
        #expect(try String(contentsOfFile: folder.path + "/code", encoding: .utf8) == "0\n")
    }
}
