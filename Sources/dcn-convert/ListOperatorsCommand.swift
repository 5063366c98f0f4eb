import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNOperators

/// Lists what is supported.
struct ListOperatorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-operators", abstract: "List the spellings of operators that are supported.")

    @Flag(help: "The list as JSON.")
    var json = false

    func run() throws {
        try perform(isJson: json) {
            let entries = Catalogue.listing
            if json {
                try Console.print(
                    Json.array(
                        entries.map {
                            .object([
                                ("domain", .string($0.domain)), ("operator", .string($0.name)),
                                ("since", .int($0.since)),
                                ("runs_as", .string($0.isCanonical ? "itself" : "another")),
                            ])
                        }
                    ).text)
                return true
            }
            var rows = [["domain", "operator", "versions", "runs as"]]
            for entry in entries {
                rows.append([
                    entry.domain.isEmpty ? "ai.onnx" : entry.domain, entry.name, "\(entry.since) and newer",
                    entry.isCanonical ? "an operator of its own" : "another operator",
                ])
            }
            for line in table(rows) { try Console.print(line) }
            return true
        }
    }
}
