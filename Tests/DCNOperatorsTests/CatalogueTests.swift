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

    @Test("every spelling either says what it takes or refuses with a hint")
    func listing() throws {
        let listed = Catalogue.dialects.listing
        for one in listed where !one.hasBodies && one.name != "Constant" {
            let runner = try #require(one.runsAs, "\(one.domain) \(one.name)")
            #expect(Catalogue.operators[runner] != nil, "\(one.domain) \(one.name)")
            #expect(one.elements.allSatisfy { !$0.isEmpty }, "\(one.domain) \(one.name)")
        }
        let spellings = Catalogue.dialects.map(\.spellings.count).reduce(1, +)
        #expect(listed.count <= spellings && listed.count > spellings - 40)
    }

    @Test("types are those that operators accept, and no others")
    func types() throws {
        let listed = Catalogue.dialects.listing
        func elements(_ name: String, _ domain: String = "") -> [Set<ElementType>] {
            listed.first { $0.domain == domain && $0.name == name }?.elements.map(Set.init) ?? []
        }
        let floats: Set<ElementType> = [.float16, .bfloat16, .float32, .float64]
        #expect(elements("Conv") == [floats, floats])
        #expect(elements("And") == [[.bool], [.bool]])
        #expect(elements("Not") == [[.bool]])
        #expect(elements("Transpose") == [Set(ElementType.allCases)])
        #expect(elements("Gather") == [Set(ElementType.allCases), [.int32, .int64]])
        #expect(elements("StringConcat") == [[.string], [.string]])
        #expect(elements("MatMulInteger") == [[.int8, .uint8], [.int8, .uint8]])
        #expect(elements("DynamicQuantizeLinear") == [[.float32]])
        #expect(elements("QLinearAdd", "com.microsoft").first == [.int8, .uint8])
        // A maximum of one operand is that operand, whatever it is: two are asked for.
        #expect(elements("Max").count == 2 && !elements("Max")[0].contains(.string))
    }

    @Test("versions are those of the standard, for every operator that is in it")
    func versions() throws {
        let listed = Catalogue.dialects.listing
        func versions(_ name: String) -> [Int]? {
            listed.first { $0.domain.isEmpty && $0.name == name }?.versions
        }
        #expect(versions("Relu") == [7, 13, 14])
        #expect(versions("Gelu") == [20])
        #expect(versions("Upsample") == [7, 9])
        let strangers = listed.filter { $0.domain.isEmpty && $0.versions.isEmpty }.map(\.name)
        #expect(strangers == ["SimplifiedLayerNormalization"])
    }
}
