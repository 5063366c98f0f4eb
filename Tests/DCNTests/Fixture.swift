import DCN
import DCNFiles

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A folder of models under `fixtures`, each a folder with `model.onnx` and test data.
struct FixtureFolder {
    let path: String

    init(_ name: String) {
        var path = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(
            separator: "/")
        path += "/fixtures/" + name
        self.path = path
    }

    /// The models' names.
    var names: [String] {
        let entries = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return entries.filter { FileManager.default.fileExists(atPath: "\(path)/\($0)/model.onnx") }.sorted()
    }

    /// Where a model lies.
    func model(_ name: String) -> String { "\(path)/\(name)/model.onnx" }

    /// Runs a model on its test data; gives what does not match.
    func mismatches(of name: String, model: Model, _ tolerance: Tolerance) throws -> [String] {
        var session = try Session(model)
        var found: [String] = []
        for set in try TestData.sets(in: "\(path)/\(name)") {
            var inputs: [String: Datum] = [:]
            for (index, input) in model.inputs.enumerated() {
                inputs[input.name] = try set.input(index, as: input.type)
            }
            let outputs: [String: Datum] = try session.run(inputs)
            for (index, output) in model.outputs.enumerated() {
                guard let got = outputs[output.name] else {
                    found.append("\(output.name) is missing")
                    continue
                }
                let comparison = compare(got, with: try set.output(index, as: got.type), tolerance)
                if !comparison.matches { found.append("\(output.name): \(comparison.detail)") }
            }
        }
        return found
    }
}
