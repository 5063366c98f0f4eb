import DCN
import DCNFiles
import Testing

@Suite struct SpellingTests {
    private static let folder = FixtureFolder("spellings")

    @Test func everySpellingHasAFixture() {
        #expect(Self.folder.names.count >= 218)
    }

    @Test(arguments: folder.names)
    func aSpellingGivesItsAnswer(_ name: String) throws {
        let model = try Model(contentsOf: Self.folder.model(name))
        let mismatches = try Self.folder.mismatches(
            of: name, model: model, Tolerance(relative: 1e-3, absolute: 1e-5))
        #expect(mismatches == [])
    }
}
