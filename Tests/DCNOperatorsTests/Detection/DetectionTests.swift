import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Detection heads")
struct DetectionTests {
    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    private func spelled(
        _ domain: String?, _ name: String, _ attributes: [String: SourceAttribute] = [:],
        operands: [TensorType] = []
    ) throws(Misfit) -> any Operator {
        var node = SourceNode(
            domain: domain ?? "any", opType: name, inputs: operands.indices.map { "\($0)" }, outputs: ["y"],
            attributes: attributes)
        node.operands = Inputs(operands.map { .tensor($0) })
        guard let spelling = Catalogue.dialects.first(where: { $0.domain == domain })?.spellings[name] else {
            throw .missing(name)
        }
        return try spelling(node).op
    }

    @Test("boxes that overlap by exactly the threshold drop each other in one ranking, and not by class")
    func thresholds() throws {
        let boxes = try tensor([1, 2, 4], [0, 0, 2, 2, 0, 0, 2, 1])
        let scores = try tensor([1, 2, 1], [0.9, 0.8])
        var op = RankedSuppression()
        (op.threshold, op.leastScore, op.keeps) = (0.5, 0.8, 2)
        #expect(try run(op, [boxes, scores], outputs: 4)[0].integers == [1])
        let batched = BatchedSuppression(
            isRotated: false, background: -1, threshold: 0.5, leastScore: 0.5, best: 2, keeps: 2, clips: false
        )
        let rows = try run(
            batched, [tensor([1, 2, 1, 4], boxes.elements(as: Float.self)), scores], outputs: 2)
        #expect(rows[1].integers == [0, 0])
    }

    @Test("corners in any order are the same box")
    func corners() throws {
        let boxes = try tensor([1, 2, 4], [2, 2, 0, 0, 0, 2, 2, 0])
        var op = RankedSuppression()
        (op.leastScore, op.keeps) = (0, 2)
        let found = try run(op, [boxes, tensor([1, 2, 1], [0.9, 0.8])], outputs: 4)
        #expect(found[0].integers == [1])
        #expect(found[1].elements(as: Float.self).prefix(4) == [2, 2, 0, 0])
    }

    @Test("half floats are computed in float32 and rounded once")
    func halves() throws {
        let boxes = try tensor([1, 2, 4], [0, 0, 2, 2, 5, 5, 7, 8])
        let scores = try tensor([1, 2, 1], [0.75, 0.5])
        var op = RankedSuppression()
        op.leastScore = 0.25
        let full = try run(op, [boxes, scores], outputs: 4)
        let narrow = try [boxes, scores].map { try run(Cast(to: .float16), [$0])[0] }
        let half = try runWidened(op, narrow, outputs: 4)
        #expect(half[1].type.element == .float16 && half[3].type.element == .int32)
        #expect(
            try run(Cast(to: .float32), [half[1]])[0].elements(as: Float.self)
                == full[1].elements(as: Float.self))
    }

    @Test("no regions, no priors, no scores: empty answers")
    func empty() throws {
        let none = try tensor([0, 4], [])
        let limited = try run(BoxLimit(), [tensor([0, 3], []), tensor([0, 12], [])], outputs: 6)
        #expect(limited.map(\.extents) == [[0], [0, 4], [0], [1], [0], [1, 3]])
        let classes = try run(
            ClassDetections(), [none, tensor([0, 8], []), tensor([0, 2], []), tensor([1, 3], [9, 9, 1])],
            outputs: 3)
        #expect(classes[2].elements(as: Float.self) == [Float](repeating: 0, count: 100))
        var proposals = RegionProposals(.listed)
        proposals.after = 3
        let operands = [
            try tensor([1, 1, 0, 2], []), try tensor([1, 4, 0, 2], []), try tensor([1, 3], [9, 9, 1]),
            try tensor([1, 4], [0, 0, 3, 3]),
        ]
        #expect(try run(proposals, operands, outputs: 2).map(\.extents) == [[0, 5], [0]])
        #expect(try run(HeatmapKeypoint(), [tensor([0, 2, 3, 3], []), none])[0].extents == [0, 4, 2])
    }

    @Test("numbers that are not finite end in an answer")
    func notFinite() throws {
        let odd: [Float] = [.nan, .infinity, -.infinity, 1e38]
        let boxes = try tensor([1, 4, 4], odd + odd + odd + odd)
        var op = RankedSuppression()
        op.leastScore = -.infinity
        #expect(try run(op, [boxes, tensor([1, 4, 1], odd)], outputs: 4).count == 4)
        let limited = try run(
            BoxLimit(),
            [tensor([4, 2], odd + odd), tensor([4, 8], odd + odd + odd + odd + odd + odd + odd + odd)],
            outputs: 6)
        #expect(limited.count == 6)
        let maps = try tensor([1, 1, 2, 2], odd)
        #expect(
            try run(HeatmapKeypoint(givesShares: true), [maps, tensor([1, 4], odd)])[0].extents == [1, 4, 1])
    }

    @Test("a keypoint between cells lies where the quadratic is flat")
    func keypoint() throws {
        // f = 5 − (x − 2.25)² − (y − 1.75)², sampled at whole numbers.
        let map = (0..<25).map { place -> Float in
            let (x, y) = (Float(place % 5) - 2.25, Float(place / 5) - 1.75)
            return 5 - x * x - y * y
        }
        let found = try run(
            HeatmapKeypoint(), [tensor([1, 1, 5, 5], map), tensor([1, 4], [10, 20, 15, 30])])[0]
        let values = found.elements(as: Float.self)
        let expected: [Float] = [10 + 2.75, 20 + 2.25 * 2, 5, 0]
        #expect(zip(values, expected).allSatisfy { abs($0 - $1) < 1e-4 }, "\(values)")
    }

    @Test("what does not fit is named")
    func misfits() throws {
        func type(_ extents: [Int]) -> ValueType { .tensor(TensorType(.float32, extents: extents)) }
        func misfit(_ op: any Operator, _ extents: [Int]...) -> String {
            do throws(Misfit) {
                _ = try op.outputTypes(for: Inputs(extents.map(type)))
                return ""
            } catch { return "\(error)" }
        }
        #expect(
            misfit(RankedSuppression(), [1, 5, 4], [1, 6, 2]).contains(
                "scores has 6 along axis 1, expected 5"))
        #expect(misfit(RankedSuppression(), [1, 5, 3], [1, 5, 2]).contains("expected 4"))
        #expect(
            misfit(PriorDetection(.grouped), [1, 8], [1, 6], [1, 2, 8], [1, 4]).contains(
                "aux_box_preds is missing"))
        #expect(
            misfit(ClassDetections(), [5, 4], [5, 8], [5, 3], [1, 3]).contains("expected 12 (4 × classes)"))
        #expect(misfit(BoxLimit(), [5, 3], [5, 8]).contains("expected 12 (4 × the classes with boxes)"))
        #expect(misfit(HeatmapKeypoint(), [2, 3, 4, 5], [2, 4]).contains("square maps"))
        #expect(
            misfit(RegionProposals(.listed), [1, 3, 2, 2], [1, 9, 2, 2], [1, 3], [3, 4]).contains(
                "4 × anchors"))
        #expect(misfit(BestRegions(limit: 3, isPadded: true), [5, 4]).contains("scores is missing"))
        #expect(
            misfit(ProjectedAttention(heads: 3), [1, 2, 4], [1, 2, 4], [1, 2, 4]).contains(
                "q_weight is missing"))
    }

    @Test("priors and scores that do not fit are refused in the run")
    func priors() throws {
        var op = PriorDetection(.grouped)
        op.keeps = 2
        #expect(throws: Misfit.self) {
            try run(
                op,
                [
                    tensor([1, 8], Array(repeating: 0, count: 8)),
                    tensor([1, 5], Array(repeating: 0, count: 5)),
                    tensor([1, 2, 8], Array(repeating: 0, count: 16)),
                ])
        }
    }

    @Test("attributes that say nothing that can be done are refused")
    func attributes() throws {
        let refused: [(String?, String, [String: SourceAttribute])] = [
            (nil, "EfficientNMS_TRT", ["box_coding": .int(2)]), (nil, "EfficientNMS_ONNX_TRT", [:]),
            (nil, "BatchedNMS_TRT", ["topK": .int(3), "keepTopK": .int(4)]),
            (
                nil, "NMS_TRT",
                [
                    "topK": .int(3), "keepTopK": .int(4), "confidenceThreshold": .float(0),
                    "nmsThreshold": .float(0), "inputOrder": .ints([0, 0, 1]),
                ]
            ),
            (
                "org.openvinotoolkit", "DetectionOutput",
                ["nms_threshold": .float(0.5), "code_type": .string(ByteString("DIAGONAL"))]
            ),
            (
                "org.openvinotoolkit", "PriorBoxClustered",
                ["width": .floats([1]), "height": .floats([1, 2])]
            ),
            ("org.openvinotoolkit", "PriorBox", ["fixed_size": .floats([8])]),
            ("org.pytorch._caffe2", "BBoxTransform", ["rotated": .int(1)]),
            ("org.pytorch._caffe2", "BoxWithNMSLimit", ["soft_nms_method": .string(ByteString("hard"))]),
            ("org.pytorch._caffe2", "GenerateProposals", ["spatial_scale": .float(0)]),
            ("mmdeploy", "PriorBox", ["image_width": .int(0), "image_height": .int(3)]),
        ]
        for (domain, name, attributes) in refused {
            #expect(throws: Misfit.self, "\(name)") { try spelled(domain, name, attributes) }
        }
    }

    @Test("maxima over regions are the same in double precision")
    func maxima() throws {
        var numbers = Seeded(3)
        let x = numbers.tensor([2, 3, 7, 6], scale: 2)
        let rois = try tensor(
            [5, 5], [0, 1, 1, 4, 3, 1, -6, 2, 5, 30, 0, 40, 9, 25, 9, 1, 3, 2, 1, 1, 7, 0, 0, 3, 3])
        let op = MaxRoiPool(RegionBins(height: 2, width: 3, scale: 0.5))
        let wide = try [x, rois].map { try run(Cast(to: .float64), [$0])[0] }
        let double = try run(op, wide)[0].elements(as: Double.self).map { Float($0) }
        #expect(try run(op, [x, rois])[0].elements(as: Float.self) == double)
    }
}
