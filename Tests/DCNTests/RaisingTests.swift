import DCN
import DCNFiles
import Testing

@Suite struct RaisingTests {
    private static let folder = FixtureFolder("decompositions")
    private static let raised: Set<String> = [
        "DeformConv", "DeformAggregate", "DeformableAttention", "MultiLevelRoiAlign",
    ]
    private static let written: Set<String> = ["GatherElements", "GatherND", "GridSample", "Floor"]

    private func operators(_ model: Model) -> Set<String> {
        Set(model.graph.nodes.map { model.graph[$0].op.name })
    }

    @Test(arguments: folder.names.filter { !$0.hasPrefix("refuse") })
    func oneOperatorTakesThePlaceOfManyNodes(_ name: String) throws {
        let model = try Model(contentsOf: Self.folder.model(name))
        let operators = operators(model)
        #expect(!operators.isDisjoint(with: Self.raised), "\(operators)")
        #expect(operators.isDisjoint(with: Self.written), "\(operators)")
        #expect(model.graph.nodes.count <= 8)
    }

    @Test(arguments: folder.names.filter { $0.hasPrefix("refuse") })
    func whatDescribesNoSuchOperatorStays(_ name: String) throws {
        let model = try Model(contentsOf: Self.folder.model(name))
        #expect(operators(model).isDisjoint(with: Self.raised))
    }

    @Test(arguments: folder.names.filter { $0.hasPrefix("refuse") })
    func whatStaysSaysWhy(_ name: String) throws {
        let model = try LoadedModel(contentsOf: Self.folder.model(name))
        let reasons = model.canonicalRewritings.compactMap(\.refusal)
        #expect(reasons.count == 1)
        if name.contains("border"), name.contains("grid") {
            #expect(reasons == ["its samples are not bilinear ones that fade to zero at the border"])
        }
    }

    @Test(arguments: folder.names)
    func answersStayTheSame(_ name: String) throws {
        let model = try Model(contentsOf: Self.folder.model(name))
        let tolerance = Tolerance(relative: 1e-3, absolute: 1e-4)
        #expect(try Self.folder.mismatches(of: name, model: model, tolerance) == [])
    }

    @Test func thereAreModelsOfBothKinds() {
        #expect(Self.folder.names.count >= 44)
        #expect(Self.folder.names.count { $0.hasPrefix("refuse") } >= 10)
    }
}
