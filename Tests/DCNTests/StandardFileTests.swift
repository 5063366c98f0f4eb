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
        let (lowered, refusals) = try model.lowered()
        #expect(refusals.isEmpty)
        let source = try SourceModel(standard: lowered, of: model.compiled, file: fixture.model)
        let again = try readOnnx(bytes: onnxBytes(of: source), named: "again.onnx")
        var graph = try map(again, dialects: Dialect.standard)
        let (expected, got) = (try answers(model.canonical, fixture), try answers(graph, fixture))
        guard text(lowered) == text(model.canonical) else {
            // Other operators, other roundings; and reading might raise again what was lowered.
            let tolerance = Tolerance(relative: 1e-4, absolute: 1e-5)
            for (name, datum) in expected {
                let answer = try #require(got[name])
                #expect(compare(answer, with: datum, tolerance).matches)
            }
            return
        }
        _ = try Pipeline.canonical.run(on: &graph)
        #expect(text(graph) == text(lowered))
        #expect(got.mapValues(bytes(of:)) == expected.mapValues(bytes(of:)))
    }
}
