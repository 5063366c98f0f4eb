import ArgumentParser
import DCN
import DCNFiles

import Foundation

@main
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dcn-run", abstract: "Run a model on input tensors.")

    @Argument(help: "An ONNX file or a compiled graph.")
    var model: String

    @Option(name: .customLong("test-data"), help: "A folder of input_K.pb and output_K.pb, or of test_data_set_* folders.")
    var testData: String

    @Option(help: "Relative tolerance of comparisons.")
    var rtol = 1e-3

    @Option(help: "Absolute tolerance of comparisons.")
    var atol = 1e-7

    @Option(help: "How many threads work.")
    var threads = 1

    func run() throws {
        let passes: Bool
        do throws(DCNError) { passes = try runTestData() } catch {
            FileHandle.standardError.write(Data((error.description + "\n").utf8))
            throw ExitCode(error.kind.rawValue)
        }
        if !passes { throw ExitCode(1) }
    }

    private func runTestData() throws(DCNError) -> Bool {
        let model = try Model(contentsOf: model)
        var session = try Session(model, options: Options(threads: threads))
        var passes = true
        for set in TestData.sets(in: testData) {
            var inputs: [String: Datum] = [:]
            for (index, input) in model.inputs.enumerated() where index < set.inputCount {
                inputs[input.name] = try set.input(index, as: input.type)
            }
            let outputs: [String: Datum] = try session.run(inputs)
            for (index, output) in model.outputs.enumerated() where index < set.outputCount {
                guard let got = outputs[output.name] else { continue }
                let comparison = compare(
                    got, with: try set.output(index, as: got.type), Tolerance(relative: rtol, absolute: atol))
                print("\(escaped(output.name)): \(comparison.matches ? "match" : "MISMATCH"), \(comparison.detail)")
                passes = passes && comparison.matches
            }
        }
        return passes
    }
}
