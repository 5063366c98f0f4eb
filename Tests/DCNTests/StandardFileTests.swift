import DCN
import DCNFiles
import DCNFormats
import DCNGraph
import DCNPasses
import TestSupport
import Testing

private let fixtures = ["first", "spellings", "decompositions"].flatMap { Fixture.all(in: $0) }

@Suite struct StandardFileTests {
    @Test(arguments: fixtures) func readsBackAsTheSameGraph(fixture: Fixture) throws {
        guard let model = try loaded(fixture) else { return }
        let lowered = try model.lowered()
        let source: SourceModel
        do {
            source = try SourceModel(standard: lowered, of: model.compiled, file: fixture.model)
        } catch {
            guard error.kind == .unsupported else { throw error }
            return
        }
        let again = try readOnnx(bytes: onnxBytes(of: source), named: "again.onnx")
        var graph = try map(again, dialects: Dialect.standard)
        _ = try Pipeline.canonical.run(on: &graph)
        #expect(text(graph) == text(lowered))
        let expected = try answers(model.canonical, fixture)
        #expect(try answers(graph, fixture).mapValues(bytes(of:)) == expected.mapValues(bytes(of:)))
    }
}
