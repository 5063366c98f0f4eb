import DCN
import DCNFiles
import DCNFormats
import DCNGraph
import DCNPasses
import TestSupport
import Testing

private let fixtures = ["first", "spellings", "decompositions"].flatMap { Fixture.all(in: $0) }

/// What standard operators don't say: suppression that decays scores, and of the boxes that another stage has moved.
private let unsayable: Set<String> = [
    "spellings/caffe2-box-limit", "spellings/caffe2-box-limit-gaussian", "spellings/caffe2-box-limit-rotated",
    "spellings/caffe2-box-limit-soft", "spellings/caffe2-box-limit-without-background",
    "spellings/mmdeploy-yolov3-detection-output", "spellings/openvino-detection-output-best-class",
    "spellings/openvino-detection-output-refined",
]

@Suite struct StandardFileTests {
    @Test(arguments: fixtures.filter { unsayable.contains($0.name) }) func namesWhatCannotBeSaid(
        fixture: Fixture
    ) throws {
        let model = try #require(try loaded(fixture))
        #expect(throws: DCNError.self) {
            let (lowered, refusals) = try model.lowered()
            #expect(refusals.values.allSatisfy { $0.hasSuffix("has no standard spelling") })
            _ = try SourceModel(standard: lowered, of: model.compiled, file: fixture.model)
        }
    }

    @Test(arguments: fixtures.filter { !unsayable.contains($0.name) }) func readsBackAsTheSameGraph(
        fixture: Fixture
    ) throws {
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
