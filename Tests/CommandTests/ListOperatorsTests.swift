import Foundation
import Testing

@Suite("dcn-convert list-operators")
struct ListOperatorsTests {
    @Test("prints the page that the repository keeps")
    func page() throws {
        let page = repository.appendingPathComponent("Sources/OPERATORS.md")
        let kept = try String(contentsOf: page, encoding: .utf8)
        let printed = try run("dcn-convert", ["list-operators", "--markdown"])
        #expect(printed.code == 0)
        #expect(printed.output == kept, "dcn-convert list-operators --markdown > Sources/OPERATORS.md")
    }

    @Test("gives the same as JSON and as a table")
    func forms() throws {
        let json = try run("dcn-convert", ["list-operators", "--json"])
        let entries = try #require(
            JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [[String: Any]])
        let table = try run("dcn-convert", ["list-operators"])
        #expect(table.output.split(separator: "\n").count == entries.count + 1)
        let conv = entries.first { $0["domain"] as? String == "" && $0["operator"] as? String == "Conv" }
        #expect(conv?["versions"] as? [Int] == [7, 11, 22])
        #expect((conv?["types"] as? [[String]])?.count == 2)
        #expect(conv?["runs_as"] as? String == "Conv")
    }
}
