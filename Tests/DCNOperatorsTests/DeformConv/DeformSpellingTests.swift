import DCNGraph
import DCNOperators
import Testing

@Suite struct DeformSpellingTests {
    private func meaning(
        _ name: String, _ extents: [[Int]], _ attributes: [String: SourceAttribute] = [:],
        domain: String = "any"
    ) throws -> (op: DeformConv, order: [Int?]) {
        var node = SourceNode(
            domain: domain, opType: name, inputs: extents.indices.map { "v\($0)" }, outputs: ["y"],
            attributes: attributes)
        node.operands = Inputs(extents.map { .tensor(TensorType(.float32, extents: $0)) })
        let dialect = try #require(Catalogue.dialects.last { $0.domain == nil })
        guard let spelling = dialect.spellings[name] else { throw Misfit.missing(name) }
        let meaning = try spelling(node)
        #expect(node.leftOver == [])
        return (try #require(meaning.op as? DeformConv), meaning.order ?? [])
    }

    private static let x = [1, 4, 6, 6], weight = [8, 4, 3, 3], offset = [1, 18, 6, 6], mask = [1, 9, 6, 6],
        bias = [8]

    @Test func operandsAreKnownByShape() throws {
        let padding = ["padding": SourceAttribute.int(1)]
        let (x, weight, offset, mask, bias) = (Self.x, Self.weight, Self.offset, Self.mask, Self.bias)
        #expect(try meaning("DCN", [x, offset, weight], padding).order == [0, 2, 1])
        #expect(try meaning("DCN", [x, weight, offset], padding).order == [0, 1, 2])
        #expect(try meaning("DCN", [x, offset, mask, weight], padding).order == [0, 3, 1, nil, 2])
        #expect(try meaning("DCN", [x, offset, weight, bias], padding).order == [0, 2, 1, 3, nil])
        #expect(try meaning("DCN", [x, offset, weight, mask], padding).order == [0, 2, 1, nil, 3])
        #expect(try meaning("DCN", [x, offset, mask, weight, bias], padding).order == [0, 3, 1, 4, 2])
        #expect(try meaning("DCN", [x, weight, offset, bias, mask], padding).order == [0, 1, 2, 3, 4])
        #expect(try meaning("DCN", [x, weight, offset, mask, bias], padding).order == [0, 1, 2, 4, 3])
    }

    @Test func groupsThatNobodyWroteFollowFromShapes() throws {
        let op = try meaning("DeformConv2d", [[1, 4, 6, 6], [1, 36, 4, 4], [8, 2, 3, 3]]).op
        #expect(op.groups == 2)
        #expect(op.offsetGroups == 2)
    }

    @Test(arguments: [
        ("padding", [2, 1], [2, 1, 2, 1]), ("padding", [2, 2, 1, 1], [2, 1, 2, 1]),
        ("pads", [1, 2, 3, 4], [1, 2, 3, 4]),
        ("paddings", [1, 2, 3, 4], [1, 3, 2, 4]), ("pad", [3], [3, 3, 3, 3]),
    ])
    func paddingIsReadAsItsNameSays(_ name: String, _ written: [Int], _ pads: [Int]) throws {
        #expect(
            try meaning("DCNv2", [Self.x, Self.offset, Self.weight], [name: .ints(written)]).op.window.pads
                == pads)
    }

    @Test func textCountsAsNumbers() throws {
        let op = try meaning(
            "_contrib_DeformableConvolution", [Self.x, Self.offset, Self.weight],
            [
                "kernel": .string(ByteString("(3, 3)")), "pad": .string(ByteString("(1, 1)")),
                "num_group": .string(ByteString("1")),
            ]
        ).op
        #expect(op.window.pads == [1, 1, 1, 1])
        #expect(op.border == .clamp)
        #expect(throws: Misfit.self) {
            try meaning("DCN", [Self.x, Self.offset, Self.weight], ["stride": .string(ByteString("two"))])
        }
    }

    @Test func aPluginIsWhatItSaysItIs() throws {
        let op = try meaning(
            "Plugin", [Self.x, Self.offset, Self.mask, Self.weight],
            ["type": .string(ByteString("DCNv2")), "padding": .int(1)]
        ).op
        #expect(op.window.pads == [1, 1, 1, 1])
        #expect(throws: Misfit.self) {
            try meaning("Plugin", [Self.x], ["type": .string(ByteString("Other"))])
        }
    }

    @Test(arguments: [DeformConv.Border.zero, .clamp]) func anUnsaidBorderIsReadAsAsked(
        _ border: DeformConv.Border
    ) throws {
        let dialect = DeformConv.unsaidBorders(border)
        for name in ["DeformableConv2D", "_contrib_DeformableConvolution"] {
            var node = SourceNode(
                domain: "any", opType: name, inputs: ["x", "offset", "weight"], outputs: ["y"])
            node.operands = Inputs(
                [Self.x, Self.offset, Self.weight].map { .tensor(TensorType(.float32, extents: $0)) })
            guard let spelling = dialect.spellings[name] else { throw Misfit.missing(name) }
            let meaning = try spelling(node)
            #expect((meaning.op as? DeformConv)?.border == border)
        }
    }

    @Test(arguments: ["PythonOp", "MMCVSigmoidFocalLoss", "coreml_nms", "PyramidROIAlign_TRT"])
    func whatCannotRunSaysWhatToDo(_ name: String) throws {
        let dialect = try #require(Catalogue.dialects.last { $0.domain == nil })
        guard let spelling = dialect.spellings[name] else { throw Misfit.missing(name) }
        do throws(Misfit) {
            _ = try spelling(SourceNode(domain: "prim", opType: name))
            Issue.record("\(name) was accepted")
        } catch {
            guard case .unsupported(let advice) = error else { throw error }
            #expect(advice.count > 20)
        }
    }
}
