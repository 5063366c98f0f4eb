import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNFormats
import DCNGraph

/// Tells every problem of a model at once.
struct CheckCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Tell every problem of a model at once, with hints.")

    @OptionGroup var file: ModelArguments
    @OptionGroup var limits: LimitArguments

    @Flag(help: "Problems as a JSON array.")
    var json = false

    func run() throws {
        try perform(isJson: json) {
            try limits.watch(file.model)
            let problems = try self.problems()
            try limits.expectRoom(for: file.model)
            if json {
                try Console.print(Json.array(problems.map { DCNCommandLine.json($0) }).text)
            } else {
                for problem in problems { try Console.print(problem.description) }
                if problems.isEmpty { try Console.print("\(escaped(file.model)): no problems") }
            }
            // What is broken outweighs what is not supported.
            guard let worst = problems.map(\.kind.rawValue).min() else { return true }
            throw ExitCode(worst)
        }
    }

    private func problems() throws -> [DCNError] {
        let dialects = try file.dialects()
        let options = try file.options(within: limits)
        do throws(DCNError) {
            if try ModelFileKind(contentsOf: file.model) == .onnx {
                let source = try readOnnx(contentsOf: file.model, limits: options.effectiveLimits)
                let found = DCNFormats.problems(in: source, dialects: dialects)
                guard found.isEmpty else { return found }
            }
        } catch {
            guard error.kind == .model || error.kind == .unsupported else { throw error }
            return [error]
        }
        do throws(DCNError) {
            _ = try LoadedModel(contentsOf: file.model, dialects: dialects, options: options)
            return []
        } catch { return [error] }
    }
}
