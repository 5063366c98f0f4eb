import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Suppression")
struct SuppressionTests {
    private func boxes(_ count: Int) -> [Float] {
        (0..<count).flatMap { index -> [Float] in
            let (y, x) = (Float(index * 7 % 23), Float(index * 5 % 19))
            return [y, x, y + 4 + Float(index % 5), x + 3 + Float(index % 7)]
        }
    }

    private func overlap(_ a: [Float], _ b: [Float]) -> Float {
        let (h, w) = (min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1]))
        guard h > 0, w > 0 else { return 0 }
        return h * w / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - h * w)
    }

    @Test(
        "what is kept does not overlap, what is dropped overlaps something better",
        arguments: [Float(0.1), 0.5])
    func law(threshold: Float) throws {
        let (count, values) = (40, boxes(40))
        let scores = (0..<count).map { Float($0 * 13 % 17) / 17 }
        let list = (0..<count).map { Array(values[($0 * 4)..<($0 * 4 + 4)]) }
        let inputs = [
            Tensor(extents: [1, count, 4], values), Tensor(extents: [1, 1, count], scores),
            Tensor(scalar: Int64(count)), Tensor(scalar: threshold),
        ]
        let rows = try #require(try run(NonMaxSuppression(), inputs)[0].integers)
        let kept = stride(from: 2, to: rows.count, by: 3).map { rows[$0] }
        for (place, index) in kept.enumerated() {
            for other in kept[..<place] {
                #expect(overlap(list[index], list[other]) <= threshold)
                #expect(scores[other] > scores[index] || scores[other] == scores[index] && other < index)
            }
        }
        for index in 0..<count where !kept.contains(index) {
            #expect(
                kept.contains { scores[$0] >= scores[index] && overlap(list[index], list[$0]) > threshold })
        }
    }

    @Test("without a number of boxes nothing comes out")
    func none() throws {
        let inputs = [Tensor(extents: [1, 2, 4], boxes(2)), Tensor(extents: [1, 1, 2], [Float(1), 0.5])]
        #expect(try run(NonMaxSuppression(), inputs)[0].extents == [0, 3])
    }

    @Test("inclusive edges make touching boxes overlap")
    func inclusive() throws {
        let pair = Tensor(extents: [2, 4], [Float(0), 0, 1, 1, 1, 1, 2, 2])
        let scores = Tensor(vector: [Float(0.5), 0.9])
        #expect(try run(BoxSuppression(threshold: 0.1), [pair, scores])[0].integers == [1, 0])
        #expect(try run(BoxSuppression(threshold: 0.1, plus: 1), [pair, scores])[0].integers == [1])
    }

    @Test("a square turned by a quarter is itself")
    func turned() throws {
        let values: [Float] = [5, 5, 4, 4, 0, 5, 5, 4, 4, 1.5707963, 50, 5, 4, 4, 0]
        let inputs = [
            Tensor(extents: [1, 3, 5], values), Tensor(extents: [1, 1, 3], [Float(0.9), 0.8, 0.7]),
        ]
        let op = RotatedSuppression(threshold: 0.9, leastScore: 0)
        #expect(try run(op, inputs)[0].integers == [0, 0, 0, 0, 0, 2])
    }

    @Test("half floats are suppressed as the floats they are", arguments: [ElementType.float16, .bfloat16])
    func halves(element: ElementType) throws {
        let (list, values) = (try #require(Tensor(extents: [12, 4], boxes(12))), boxes(12))
        let scores = (0..<12).map { Float($0 * 5 % 12) / 16 }
        var rows: [Float] = []
        for (index, score) in scores.enumerated() {
            rows += [0, score]
            rows += values[(index * 4)..<(index * 4 + 4)]
        }
        let data = try #require(Tensor(extents: [12, 6], rows))
        let soft = SoftSuppression(method: .naive, threshold: 0.2, sigma: 0.5, leastScore: 0.1, plus: 0)
        try expectSame(BoxSuppression(threshold: 0.2), [list, Tensor(vector: scores)], in: element)
        try expectSame(soft, [list, Tensor(vector: scores)], outputs: 2, in: element)
        try expectSame(ListSuppression(), [data], in: element)
    }

    /// Numbers that halves hold exactly give the same as floats and as halves.
    private func expectSame(
        _ op: some Operator, _ inputs: [Tensor], outputs: Int = 1, in element: ElementType
    ) throws {
        let halves = try inputs.map { try run(Cast(to: element), [$0])[0] }
        let got = try runWidened(op, halves, outputs: outputs)
        let expected = try run(op, inputs, outputs: outputs)
        #expect(got.count == outputs)
        for (got, expected) in zip(got, expected) {
            if expected.type.element == .int64 {
                #expect(got.integers == expected.integers)
            } else {
                #expect(got.type.element == element)
                let wide = try run(Cast(to: .float32), [got])[0]
                #expect(wide.elements(as: Float.self) == expected.elements(as: Float.self))
            }
        }
    }

    @Test("a table holds what is kept, then rows of -1, and the best whatever its score")
    func table() throws {
        let pair = Tensor(extents: [1, 3, 4], [Float(0), 0, 4, 4, 1, 0, 5, 4, 9, 9, 12, 12])
        let scores = Tensor(extents: [1, 2, 3], [Float(0.2), 0.9, 0.6, 0.1, 0.2, 0.3])
        func rows(_ limit: Int, _ least: Float) throws -> [Int]? {
            let op = TableSuppression(
                isCentred: false, limit: limit, threshold: 0.3, leastScore: least, plus: 0)
            return try run(op, [pair, scores])[0].integers
        }
        #expect(try rows(0, 0) == [0, 0, 1, 0, 0, 2, 0, 1, 2, 0, 1, 1] + [-1, -1, -1, -1, -1, -1])
        #expect(try rows(2, 0.5) == [0, 0, 1, 0, 0, 2, 0, 1, 2, -1, -1, -1])
        #expect(try rows(1, 0.95) == [0, 0, 1, 0, 1, 2])
    }
}
