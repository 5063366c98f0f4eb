import ArgumentParser
import DCNCommandLine

/// `dcn-convert MODEL …` converts a model; its subcommands look into one.
@main
struct Entry: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dcn-convert", abstract: "Converts ONNX models, and looks into them.", version: "0.1.0",
        subcommands: [
            ConvertCommand.self, InspectCommand.self, CheckCommand.self, ListOperatorsCommand.self,
        ],
        defaultSubcommand: ConvertCommand.self)

    static func main() {
        Console.prepare()
        var arguments = Array(CommandLine.arguments.dropFirst())
        // Without subcommand, help is that of the default one.
        if ["--help", "-h", "help"].contains(arguments.first ?? ""), arguments.count == 1 {
            arguments = ["convert", "--help"]
        }
        do {
            var command = try parseAsRoot(arguments)
            try command.run()
        } catch { exit(withError: error) }
    }
}
