import DCNGraph
import DCNOperators
import Testing

@Suite("The catalogue")
struct CatalogueTests {
    @Test("no two operators share a name")
    func names() {
        let all = Catalogue.families.flatMap(\.operators).map { $0.name }
        #expect(Set(all).count == all.count)
    }
}
