import ArgumentParser
import DCNCommandLine

/// `dcn-run MODEL …` runs a model; `dcn-run detect …` and `dcn-run eval …` run a detector on pictures;
/// `dcn-run offsets …` shows where deformable layers look.
@main
struct Entry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dcn-run", abstract: "Runs ONNX models and compiled graphs.", version: "0.1.0",
        subcommands: [RunCommand.self, DetectCommand.self, EvalCommand.self, OffsetsCommand.self],
        defaultSubcommand: RunCommand.self)

    static func main() {
        _ = ProcessFacts.start
        Console.prepare()
        var arguments = Array(CommandLine.arguments.dropFirst())
        // Without subcommand, help is that of the default one.
        if ["--help", "-h", "help"].contains(arguments.first ?? ""), arguments.count == 1 {
            arguments = ["run", "--help"]
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch { exit(withError: error) }
    }
}
