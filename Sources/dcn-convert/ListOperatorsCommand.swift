import ArgumentParser
import DCN
import DCNCommandLine
import DCNFiles
import DCNGraph
import DCNOperators

/// Lists what is supported.
struct ListOperatorsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list-operators",
        abstract: "List the spellings of operators that are supported.",
        discussion: """
            For each: the versions of its operator set that define it anew, the element types of the operands that \
            must be there, and the operator that runs it. The types are what the operators accept when asked.
            """)

    @Flag(help: "The list as JSON.")
    var json = false
    @Flag(help: "The list as a table in Markdown.")
    var markdown = false

    func run() throws {
        try perform(isJson: json) {
            let operators = Dialect.complete.listing
            if json {
                try Console.print(Json.array(operators.map(\.json)).text)
            } else if markdown {
                try Console.print(operatorsPage(operators))
            } else {
                let rows = [["domain", "operator", "versions", "types", "runs as"]] + operators.map(\.cells)
                for line in table(rows) { try Console.print(line) }
            }
            return true
        }
    }
}
