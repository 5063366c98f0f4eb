import DCNGraph
import DCNOperators
import DCNPasses
import DCNRuntime
import TestSupport
import Testing

/// What docstrings of operators that are made of others say of numbers that are hardly numbers.
@Suite("Composites of numbers at the edge")
struct OddCompositeTests {
    private static let sets = InstructionSet.available
    private let infinity = Float.infinity

    private func tensor(_ extents: [Int], _ values: [Float]) throws -> Tensor {
        try #require(Tensor(extents: extents, values))
    }

    /// The first outputs of what an operator is made of.
    private func answers(
        _ op: any Operator, _ inputs: [Tensor], outputs: Int = 1, on set: InstructionSet
    ) throws -> [Tensor] {
        var graph = Graph()
        let names = inputs.indices.map { "x\($0)" }
        let values = zip(names, inputs).map { graph.addInput($0, .tensor($1.type)) }
        let results = try graph.append(
            op, values, named: "y", outputNames: [String?](repeating: nil, count: outputs))
        for (index, result) in results.enumerated() { graph.addOutput(result, named: "y\(index)") }
        let (composed, _) = try after(Compose(), graph)
        var session = try Session(Model(graph: composed), options: Options(threads: 1, instructionSet: set))
        let found: [String: Tensor] = try session.run(Dictionary(uniqueKeysWithValues: zip(names, inputs)))
        return try results.indices.map { try #require(found["y\($0)"]) }
    }

    private func answer(_ op: any Operator, _ inputs: [Tensor], on set: InstructionSet) throws -> [Float] {
        try answers(op, inputs, on: set)[0].elements(as: Float.self)
    }

    @Test("regions by score and size", arguments: sets)
    func regions(_ set: InstructionSet) throws {
        let boxes = try tensor([3, 1], [1, 2, 3]), scores = try tensor([3], [5, .nan, 7])
        #expect(try answer(BestRegions(limit: 2, isPadded: false), [boxes, scores], on: set) == [2, 3])
        let none = try answers(
            BestRegions(limit: 2, isPadded: true), [try tensor([0, 1], []), try tensor([0], [])], on: set)[0]
        #expect(none.extents == [2, 1])
        #expect(none.elements(as: Float.self) == [0, 0])
        let op = RegionLevels(first: 2, last: 5, canonicalSize: 224, canonicalLevel: 4, plus: 0)
        let rows: [Float] =
            [0, 0, .nan, 9, 0, 0, infinity, infinity, 0, 0, 1e30, 1e30, 9, 0, 0, 9]
        let levels = try answers(op, [try tensor([4, 4], rows)], outputs: 5, on: set)
        let counts = levels.map { $0.extents[0] }
        #expect(counts == [2, 0, 0, 2, 4])
        #expect(levels[4].integers == [0, 2, 3, 1])
        let nothing = try answers(op, [try tensor([0, 4], [])], outputs: 5, on: set)
        #expect(nothing.map { $0.extents[0] } == [0, 0, 0, 0, 0])
    }

    @Test("boxes displaced by what is no number", arguments: sets)
    func boxes(_ set: InstructionSet) throws {
        let op = BoxTransform(weights: [1, 1, 1, 1], scales: true, plus: 0)
        let got = try answer(
            op,
            [
                try tensor([2, 4], [0, 0, 4, 4, 0, 0, 4, 4]),
                try tensor([2, 4], [.nan, 0, 0, 0, 0, 0, infinity, 0]),
                try tensor([1, 3], [10, 10, 1]),
            ], on: set)
        #expect(got[0].isNaN && got[1] == 0 && got[2].isNaN && got[3] == 4)
        #expect(Array(got.suffix(4)) == [0, 0, 10, 4])
        let grid = try answers(
            PriorGrid(),
            [
                try tensor([1, 4], [0, 0, 1, 1]), try tensor([1, 1, 0, 2], []),
                try tensor([1, 1, 8, 8], [Float](repeating: 0, count: 64)),
            ], on: set)[0]
        #expect(grid.extents == [0, 4])
    }

    @Test("vectors of length 1, and means of parts", arguments: sets)
    func vectors(_ set: InstructionSet) throws {
        let op = L2Normalization(epsilon: 0, acrossPlane: false, sharesWeight: true)
        let x = try tensor([1, 2, 4], [3, .nan, infinity, 0, 4, 1, 1, 0])
        let got = try answer(op, [x, try tensor([1], [1])], on: set)
        #expect(abs(got[0] - 0.6) < 1e-6 && abs(got[4] - 0.8) < 1e-6)
        #expect(got[1].isNaN && got[5].isNaN && got[2].isNaN && got[6] == 0 && got[3].isNaN && got[7].isNaN)
        for odd in [Float.nan, infinity] {
            let planes = try tensor([1, 2, 2, 2], [odd, 1, 1, 1, 1, 2, 3, 4])
            let means = try answer(AdaptiveAveragePool(height: 2, width: 2), [planes], on: set)
            #expect(
                means.prefix(4).allSatisfy { !$0.isFinite } && means.suffix(4) == [1, 2, 3, 4], "\(means)")
        }
        let nothing = try tensor([1, 1, 0, 3], [])
        #expect(try answer(AdaptiveAveragePool(height: 1, width: 2), [nothing], on: set) == [0, 0])
    }

    @Test("gates and weights", arguments: sets)
    func gates(_ set: InstructionSet) throws {
        let gated = try answer(
            ScaledSwish(), [Tensor(vector: [Float.nan, infinity, -infinity, 0]), Tensor(scalar: Float(1))],
            on: set)
        #expect(gated[0].isNaN && gated[1] == infinity && gated[2].isNaN && gated[3] == 0)
        let shapes = try #require(Tensor(extents: [1, 2], [Int64(1), 1]))
        let value = try tensor([1, 1, 1, 1], [3])
        let places = try tensor([1, 3, 1, 2], [0, 0, .nan, 0, 0, infinity])
        let weights = try tensor([1, 3, 1, 1], [1, 1, 1])
        #expect(try answer(ReferencedAttention(), [value, shapes, places, weights], on: set) == [3, 0, 0])
        let references = try tensor([1, 3, 1, 2], [0.5, 0.5, .nan, 0.5, 0.5, 0.5])
        let moves = try tensor([1, 3, 1, 2], [0, 0, 0, 0, 0, 0])
        let marks = try tensor([1, 3, 1, 1], [1, 1, .nan])
        let got = try answer(ReferencedAttention(), [value, shapes, references, moves, marks], on: set)
        #expect(got[0] == 3 && got[1] == 0 && got[2].isNaN, "\(got)")
        let (one, none) = (try tensor([1, 1], [1]), Tensor(vector: [Float(0)]))
        let row = try tensor([1, 2, 1], [1, .nan]), keys = try tensor([1, 2, 1], [1, 1])
        let parameters = [one, none, one, none, one, none, one, none]
        let attended = try answer(ProjectedAttention(heads: 1), [row, keys, keys] + parameters, on: set)
        #expect(attended[0] == 1 && attended[1].isNaN)
    }
}
