import DCN
import DCNFiles
import DCNFormats
import DCNGraph
import DCNPasses
import TestSupport
import Testing

private let fixtures = ["first", "spellings", "decompositions"].flatMap { Fixture.all(in: $0) }

/// The model of a fixture, nil where it holds operators that are not here.
func loaded(_ fixture: Fixture) throws -> LoadedModel? {
    do { return try LoadedModel(contentsOf: fixture.model) } catch {
        guard error.kind == .unsupported else { throw error }
        return nil
    }
}

/// The answers of a graph to the first set of a fixture's test data.
func answers(_ graph: Graph, _ fixture: Fixture) throws -> [String: Datum] {
    let model = Model(graph: graph)
    var session = try Session(model)
    let set = try #require(TestData.sets(in: fixture.path).first)
    var inputs: [String: Datum] = [:]
    for (index, input) in model.inputs.enumerated() {
        inputs[input.name] = try set.input(index, as: input.type)
    }
    return try session.run(inputs)
}

/// The text of a graph, without the numbers that tell values of one name apart: files want other ones.
func text(_ graph: Graph) -> String {
    var result = ""
    var isNumber = false
    for letter in "\(graph)" {
        if letter == "·" || letter == "_" {
            isNumber = true
        } else if !(isNumber && letter.isNumber) {
            isNumber = false
            result.append(letter)
        }
    }
    return result
}

/// The bytes of a file.
func contents(_ path: String) throws -> [UInt8] {
    let file = try MappedFile(path: path)
    return withExtendedLifetime(file) { Array(file.bytes) }
}

/// Every byte of a value.
func bytes(of datum: Datum) -> [[UInt8]] {
    switch datum {
    case .tensor(let tensor):
        [Array("\(tensor.type)".utf8), tensor.withBytes { Array($0) }] + tensor.byteStrings.map(\.bytes)
    case .sequence(let items, _): items.flatMap(bytes(of:))
    case .optional(let item, _): item.map(bytes(of:)) ?? []
    }
}

@Suite struct CompiledFileTests {
    @Test func mostFixturesAreHere() throws {
        #expect(fixtures.count > 100)
        #expect(try fixtures.count { try loaded($0) != nil } > fixtures.count / 4)
    }

    @Test(arguments: fixtures) func givesTheSameGraphAndBits(fixture: Fixture) throws {
        guard let model = try loaded(fixture) else { return }
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.dcn"
        let count = try writeCompiled(model.compiled, to: path)
        #expect(folder.names == ["model.dcn"])
        let again = try LoadedModel(contentsOf: path)
        #expect(again.kind == .compiled)
        #expect(text(again.compiled.graph) == text(model.compiled.graph))
        #expect(try writeCompiled(again.compiled, to: folder.path + "/again.dcn") == count)
        #expect(try contents(path) == contents(folder.path + "/again.dcn"))
        let expected = try answers(model.compiled.graph, fixture)
        let got = try answers(again.compiled.graph, fixture)
        #expect(got.mapValues(bytes(of:)) == expected.mapValues(bytes(of:)))
    }
}
