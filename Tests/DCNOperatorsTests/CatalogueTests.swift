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

    @Test("types that depend on attributes are listed too")
    func typesByAttributes() throws {
        let listed = Catalogue.dialects.listing
        func first(_ name: String, _ domain: String = "") -> Set<ElementType> {
            Set(listed.first { $0.domain == domain && $0.name == name }?.elements.first ?? [])
        }
        let sixBits: Set<ElementType> = [.float6e2m3, .float6e3m2]
        #expect(first("BitCast") == Set(ElementType.allCases).subtracting(sixBits + [.string]))
        #expect(first("RandomNormalLike").contains(.string))
        #expect(first("TfIdfVectorizer") == [.string, .int32, .int64])
        #expect(first("GridSample").isSuperset(of: [.string, .bool, .complex64, .float32]))
        #expect(first("LabelEncoder", "ai.onnx.ml").isSuperset(of: [.string, .int64, .float64]))
        #expect(first("TreeEnsemble", "ai.onnx.ml") == [.float16, .float32, .float64])
    }

    @Test("an operator before its first version is refused, and by which version has it")
    func notYet() throws {
        let dialect = try #require(Catalogue.dialects.first { $0.domain == "" })
        func refusal(_ name: String, _ version: Int, _ attributes: [String: SourceAttribute] = [:]) -> String?
        {
            do throws(Misfit) {
                _ = try dialect.spellings[name]?(
                    SourceNode(opType: name, version: version, inputs: ["x", "y"], attributes: attributes))
                return nil
            } catch { return "\(error)" }
        }
        let sentence = "it is in the operator set from version 16 on, and the model's is 11"
        #expect(refusal("GridSample", 11) == sentence)
        #expect(refusal("GridSample", 16) == nil && refusal("Relu", 5) == nil && refusal("Mish", 18) == nil)
        #expect(refusal("Mish", 17) == "it is in the operator set from version 18 on, and the model's is 17")
        // Exporters wrote these before the standard did.
        #expect(refusal("GridSample", 11, ["mode": .int(2), "padding_mode": .int(1)]) == nil)
        #expect(
            refusal("GridSample", 11, ["interpolationmode": .int(3)])?.contains("expected 0, 1 or 2") == true)
        #expect(refusal("LayerNormalization", 11) == nil)
        let scores = try #require(Catalogue.dialects.first { $0.domain == "ai.onnx.ml" })
        #expect(throws: Misfit.self) {
            try scores.spellings["TreeEnsemble"]?(
                SourceNode(domain: "ai.onnx.ml", opType: "TreeEnsemble", version: 4))
        }
    }

    @Test("a deformable convolution before the standard's is known by its shapes")
    func earlyDeformation() throws {
        let dialect = try #require(Catalogue.dialects.first { $0.domain == "" })
        var node = SourceNode(opType: "DeformConv", version: 11, inputs: ["x", "w", "o"], outputs: ["y"])
        node.operands = Inputs(
            [[1, 4, 6, 6], [1, 18, 4, 4], [8, 4, 3, 3]].map { .tensor(TensorType(.float32, extents: $0)) })
        let spelling = try #require(dialect.spellings["DeformConv"])
        let meaning = try spelling(node)
        #expect(meaning.op is DeformConv && meaning.order?.prefix(3) == [0, 2, 1])
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
