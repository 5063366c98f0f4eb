import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings of operators on boxes and scores say of numbers that are hardly numbers.
@Suite("Boxes and scores at the edge")
struct OddDetectionTests {
    private static let sets = InstructionSet.available
    private let infinity = Float.infinity

    /// Two alike, one with NaN, one without end, one whose score is NaN.
    private var boxes: [Float] {
        [0, 0, 1, 1, 0, 0, 1, 1, .nan, 0, 1, 1, 0, 0, infinity, 1, 5, 5, 6, 6]
    }
    /// The same about their centres, turned by nothing.
    private var turned: [Float] {
        [0, 0, 1, 1, 0, 0, 0, 1, 1, 0, .nan, 0, 1, 1, 0, 0, 0, infinity, 1, 0, 5, 5, 1, 1, 0]
    }
    private let scores: [Float] = [0.9, 0.8, 0.7, 0.6, .nan]

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    /// Entry `column` of each row of a table.
    private func column<T>(_ column: Int, of width: Int, _ values: [T]) -> [T] {
        stride(from: column, to: values.count, by: width).map { values[$0] }
    }

    private func floats(_ tensor: Tensor) -> [Float] { tensor.elements(as: Float.self) }

    @Test("lists of boxes", arguments: sets)
    func lists(_ set: InstructionSet) throws {
        let inputs = [try tensor([5, 4], boxes), try tensor([5], scores)]
        #expect(try run(BoxSuppression(threshold: 0.5), inputs, on: set)[0].integers == [0, 2, 3, 4])
        for method in [SoftSuppression.Method.naive, .linear, .gaussian] {
            let op = SoftSuppression(method: method, threshold: 0.5, sigma: 0.5, leastScore: 0.2, plus: 0)
            let got = try run(op, inputs, outputs: 2, on: set)
            #expect(got[1].integers == [0, 2, 3, 4], "\(method)")
            #expect(floats(got[0])[19].isNaN && floats(got[0])[14] == 0.6)
        }
        let rows = (0..<5).flatMap { row -> [Float] in
            let box = boxes[(row * 4)..<(row * 4 + 4)]
            return [0, scores[row]] + box
        }
        let kept = floats(try run(ListSuppression(), [try tensor([1, 5, 6], rows)], on: set)[0])
        #expect(column(1, of: 6, kept) == [0.9, 0.7, 0.6, -1, -1])
    }

    @Test("boxes of several classes and images", arguments: sets)
    func batches(_ set: InstructionSet) throws {
        let all = try tensor([1, 5, 4], boxes), own = try tensor([1, 1, 5], scores)
        let limits = [Tensor(scalar: Float(0.5)), Tensor(scalar: Float(0))]
        #expect(try run(SuppressionMatch(), [all, own] + limits, on: set)[0].integers == [0, 0, 0, 1])
        let table = TableSuppression(isCentred: false, limit: 0, threshold: 0.5, leastScore: 0, plus: 0)
        let places = try run(table, [all, own], on: set)[0].integers ?? []
        #expect(column(2, of: 3, places) == [0, 2, 3, 4, -1])
        let rotated = try run(
            RotatedSuppression(threshold: 0.5, leastScore: 0.1), [try tensor([1, 5, 5], turned), own], on: set
        )[0]
        #expect(rotated.integers == [0, 0, 0, 0, 0, 2, 0, 0, 3])
    }

    private func batched(_ set: InstructionSet, isRotated: Bool, _ change: (inout BatchedSuppression) -> Void)
        throws
        -> [Tensor]
    {
        var op = BatchedSuppression(
            isRotated: isRotated, background: -1, threshold: 0.5, leastScore: 0.1, best: -1, keeps: 4,
            clips: false)
        change(&op)
        let width = isRotated ? 5 : 4
        let all = try tensor([1, 5, 1, width], isRotated ? turned : boxes)
        return try run(op, [all, try tensor([1, 5, 1], scores)], outputs: op.isCounted ? 4 : 3, on: set)
    }

    @Test("tables of the best boxes", arguments: sets)
    func tables(_ set: InstructionSet) throws {
        for isRotated in [false, true] {
            let got = try batched(set, isRotated: isRotated) { _ in }
            #expect(got[2].integers == [0, 2, 3, -1])
            #expect(floats(got[0]).contains { $0.isNaN })
        }
        for plus in [0, 1] {
            let got = try batched(set, isRotated: false) {
                ($0.isCounted, $0.plus, $0.areaPlus) = (true, plus, plus)
            }
            #expect(got[0].integers == [3])
            #expect(floats(got[2]) == [0.9, 0.7, 0.6, 0])
        }
        var ranked = RankedSuppression()
        (ranked.leastScore, ranked.keeps) = (0.1, 4)
        let inputs = [try tensor([1, 5, 4], boxes), try tensor([1, 5, 1], scores)]
        let got = try run(ranked, inputs, outputs: 4, on: set)
        #expect(got[0].integers == [3])
        #expect(floats(got[2]) == [0.9, 0.7, 0.6, 0])
    }

    @Test("boxes limited by class and image", arguments: sets)
    func limited(_ set: InstructionSet) throws {
        let marks = try tensor([5, 2], scores.flatMap { [0, $0] })
        var op = BoxLimit()
        op.sharesBoxes = true
        let hard = try run(op, [marks, try tensor([5, 4], boxes), nil], outputs: 6, on: set)
        #expect(hard[4].integers == [0, 3])
        for method in [SoftSuppression.Method.linear, .gaussian] {
            (op.softness, op.leastSoftScore) = (method, 0.2)
            let soft = try run(op, [marks, try tensor([5, 4], boxes), nil], outputs: 6, on: set)
            #expect(soft[4].integers == [0, 2, 3], "\(method)")
        }
        (op.softness, op.isRotated) = (nil, true)
        let rotated = try run(op, [marks, try tensor([5, 5], turned), nil], outputs: 6, on: set)
        #expect(rotated[4].integers == [0, 2, 3])
    }

    @Test("regions displaced by what is no number", arguments: sets)
    func displaced(_ set: InstructionSet) throws {
        var op = ClassDetections()
        op.keeps = 3
        let regions: [Float] = [0, 0, 4, 4, .nan, 0, 4, 4, 5, 5, 9, 9, 0, 5, 4, 9]
        var deltas = [Float](repeating: 0, count: 32)
        deltas[2 * 8 + 4] = .nan
        let marks: [Float] = [0, 0.9, 0, 0.8, 0, 0.7, 0, .nan]
        let got = try run(
            op,
            [
                try tensor([4, 4], regions), try tensor([4, 8], deltas), try tensor([4, 2], marks),
                try tensor([1, 3], [10, 10, 1]),
            ], outputs: 3, on: set)
        #expect(floats(got[2]) == [0.9, 0.7, 0])
        #expect(Array(floats(got[0]).prefix(8)) == [0, 0, 4, 4, 0, 5, 0, 9])
    }

    @Test("proposals from what is no number", arguments: sets)
    func proposals(_ set: InstructionSet) throws {
        var op = RegionProposals(.counted)
        op.leastSize = 1
        let anchors: [Float] = [0, 0, 9, 9, 0, 0, 9, 9, .nan, 0, 9, 9, 0, 0, infinity, 9, 50, 50, 60, 60]
        let got = try run(
            op,
            [
                try tensor([1, 1, 1, 5], scores), try tensor([1, 4, 1, 5], [Float](repeating: 0, count: 20)),
                try tensor([1, 3], [100, 100, 1]), try tensor([5, 4], anchors),
            ], outputs: 3, on: set)
        #expect(got[2].integers == [2])
        #expect(floats(got[0]) == [0, 0, 9, 9, 50, 50, 60, 60])
        #expect(floats(got[1])[1].isNaN)
    }

    @Test("proposals from a grid of anchors", arguments: sets)
    func anchored(_ set: InstructionSet) throws {
        let marks = try tensor([1, 2, 1, 2], [0, 0, .nan, 0.5])
        let moves = try tensor([1, 4, 1, 2], [.nan, 0, 0, 0, 0, 0, 0, 0])
        let image = try tensor([1, 3], [32, 32, 1])
        var mxnet = Proposal()
        (mxnet.scales, mxnet.ratios, mxnet.after, mxnet.leastSize) = ([1], [1], 2, 1)
        var openvino = AnchorProposal()
        (openvino.scales, openvino.ratios, openvino.after, openvino.leastSize) = ([1], [1], 2, 1)
        for op in [mxnet, openvino] as [any Operator] {
            let got = try run(op, [marks, moves, image], outputs: 2, on: set)
            #expect(floats(got[0]).allSatisfy { $0.isFinite }, "\(op): \(floats(got[0]))")
            #expect(floats(got[1])[0] == 0.5 && floats(got[1])[1].isNaN, "\(op): \(floats(got[1]))")
        }
    }

    @Test("detections against prior boxes", arguments: sets)
    func priors(_ set: InstructionSet) throws {
        let inputs = [
            try tensor([1, 20], [Float](repeating: 0, count: 20)),
            try tensor([1, 10], scores.flatMap { [0, $0] }),
            try tensor([1, 2, 20], boxes + [Float](repeating: 1, count: 20)),
        ]
        var op = PriorDetection(.listed)
        let got = try run(op, inputs, on: set)[0]
        #expect(got.extents == [1, 3, 6])
        #expect(column(1, of: 6, floats(got)) == [0.9, 0.7, 0.6])
        op.clipsBefore = true
        #expect(try run(op, inputs, on: set)[0].extents == [1, 1, 6])
    }

    @Test("cells of a detector", arguments: sets)
    func cells(_ set: InstructionSet) throws {
        let op = YoloDetection(
            classes: 2, anchors: 1, leastScore: 0.5, threshold: 0.5, sizes: [4, 4], choice: [0], scales: [8])
        let map = [Float](repeating: 0, count: 12) + [10, 10, .nan, 10, .nan, 10, -10, 10, 10]
        let got = try run(op, [try tensor([1, 7, 1, 3], map)], on: set)[0]
        #expect(got.extents == [2, 6])
        #expect(column(0, of: 6, floats(got)) == [1, 2])
        #expect(try run(op, [try tensor([1, 7, 0, 3], [])], on: set)[0].extents == [0, 6])
    }

    @Test("the greatest places of maps", arguments: sets)
    func maps(_ set: InstructionSet) throws {
        let box: [Float] = [0, 0, 3, 3]
        func place(_ map: [Float], _ box: [Float]) throws -> [Float] {
            let inputs = [try tensor([1, 1, 3, 3], map), try tensor([1, 4], box)]
            return floats(try run(HeatmapKeypoint(givesShares: true), inputs, on: set)[0])
        }
        let beside = try place([.nan, 1, 1, 1, 5, 1, 1, 1, 1], box)
        #expect(Array(beside.prefix(3)) == [1.5, 1.5, 5])
        #expect(beside[3].isNaN)
        let endless = try place([1, 1, 1, 1, infinity, 1, 1, 1, 1], box)
        #expect(Array(endless.prefix(3)) == [1.5, 1.5, infinity])
        #expect(endless[3].isNaN)
        let nothing = try place([Float](repeating: .nan, count: 9), box)
        #expect(Array(nothing.prefix(2)) == [0.5, 0.5])
        #expect(nothing[2].isNaN)
        #expect(try place([1, 1, 1, 1, 5, 1, 1, 1, 1], [.nan, 0, 3, 3])[0].isNaN)
    }

    @Test("no boxes, no images, no cells", arguments: sets)
    func nothing(_ set: InstructionSet) throws {
        let none = try tensor([0, 4], []), marks = try tensor([0], [])
        #expect(try run(BoxSuppression(threshold: 0.5), [none, marks], on: set)[0].extents == [0])
        let soft = SoftSuppression(method: .linear, threshold: 0.5, sigma: 1, leastScore: 0, plus: 0)
        #expect(try run(soft, [none, marks], on: set)[0].extents == [0, 5])
        let table = TableSuppression(isCentred: true, limit: 0, threshold: 0.5, leastScore: 1, plus: 0)
        let noImage = [try tensor([0, 5, 4], []), try tensor([0, 2, 5], [])]
        #expect(try run(table, noImage, on: set)[0].extents == [0, 3])
        #expect(
            try run(table, [try tensor([1, 0, 4], []), try tensor([1, 2, 0], [])], on: set)[0].extents == [
                0, 3,
            ])
        #expect(
            try run(
                RotatedSuppression(threshold: 0.5, leastScore: 0),
                [
                    try tensor([0, 5, 5], []), try tensor([0, 2, 5], []),
                ], on: set)[0].extents == [0, 3])
        #expect(try run(ListSuppression(), [try tensor([2, 0, 6], [])], on: set)[0].extents == [2, 0, 6])
        var ranked = RankedSuppression()
        ranked.keeps = 2
        let counts = try run(
            ranked, [try tensor([1, 0, 4], []), try tensor([1, 0, 3], [])], outputs: 4, on: set)
        #expect(counts[0].integers == [0])
        #expect(floats(counts[1]) == [Float](repeating: 0, count: 8))
        let prior = PriorBox([[0, 0, 4, 4]])
        let map = try tensor([1, 1, 0, 3], []),
            image = try tensor([1, 3, 30, 30], [Float](repeating: 0, count: 2700))
        #expect(try run(prior, [map, image], on: set)[0].extents == [1, 2, 0])
        #expect(
            try run(HeatmapKeypoint(), [try tensor([0, 2, 3, 3], []), none], on: set)[0].extents == [0, 4, 2])
    }
}
