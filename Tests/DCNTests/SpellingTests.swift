import DCN
import DCNFiles
import DCNFormats
import DCNGraph
import Testing

@Suite struct SpellingTests {
    private static let folder = FixtureFolder("spellings")

    @Test func everySpellingHasAFixture() {
        #expect(Self.folder.names.count >= 225)
    }

    @Test(arguments: folder.names)
    func aSpellingGivesItsAnswer(_ name: String) throws {
        let model = try Model(contentsOf: Self.folder.model(name))
        let mismatches = try Self.folder.mismatches(
            of: name, model: model, Tolerance(relative: 1e-3, absolute: 1e-5))
        #expect(mismatches == [])
    }

    @Test(arguments: ["mxnet-roi-pooling", "mxnet-deformable-ps-roi-pooling", "mxnet-box-nms"])
    func hiddenOutputsMayBeThereAndNotBeRead(_ name: String) throws {
        var source = try readOnnx(contentsOf: Self.folder.model(name))
        source.graph.nodes[0].outputs.append("extra")
        #expect(throws: Never.self) { try map(source, dialects: Dialect.standard) }
        source.graph.outputs[0].name = "extra"
        #expect {
            try map(source, dialects: Dialect.standard)
        } throws: { "\($0)".contains("'extra' is a hidden output, which is not computed") }
    }
}
