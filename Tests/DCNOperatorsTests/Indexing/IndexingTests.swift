import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Indexing")
struct IndexingTests {
    private func floats(_ values: [Float]) -> Tensor { Tensor(vector: values) }

    @Test("TopK puts the lower of equal indices first and NaN above all", arguments: [1, 2, 5, 8])
    func topK(k: Int) throws {
        let values: [Float] = [1, 3, -0.0, 3, .nan, 0, -.infinity, 3]
        let order = [4, 1, 3, 7, 0, 2, 5, 6]
        let largest = try run(TopK(), [floats(values), Tensor(vector: [Int64(k)])], outputs: 2)
        #expect(largest[1].elements(as: Int64.self) == order.prefix(k).map(Int64.init))
        let smallest = try run(
            TopK(isLargest: false), [floats(values), Tensor(vector: [Int64(k)])], outputs: 2)
        let reverse: [Int64] = [6, 2, 5, 0, 1, 3, 7, 4]
        #expect(smallest[1].elements(as: Int64.self) == Array(reverse.prefix(k)))
    }

    @Test("TopK agrees with sorting along every axis", arguments: 0..<3)
    func topKAxes(axis: Int) throws {
        let extents = [3, 7, 5]
        let values = (0..<105).map { Float(($0 * 37) % 11) }
        let x = try #require(Tensor(extents: extents, values))
        let places = try run(TopK(axis: axis), [x, Tensor(vector: [Int64(3)])], outputs: 2)[1]
        for index in indices(of: places.extents) where index[axis] == 0 {
            let line = (0..<extents[axis]).map { step in
                var at = index
                at[axis] = step
                return values[position(at, in: extents)]
            }
            let best = line.indices.sorted { (-line[$0], $0) < (-line[$1], $1) }.prefix(3)
            for (rank, expected) in best.enumerated() {
                var at = index
                at[axis] = rank
                #expect(places.elements(as: Int64.self)[position(at, in: places.extents)] == Int64(expected))
            }
        }
    }

    @Test("an index outside is named")
    func outside() {
        #expect(throws: Misfit.value(of: "indices", because: "holds 3, expected -3 … 2")) {
            try run(Gather(), [counting([3, 2]), Tensor(vector: [Int64(0), 3])])
        }
    }

    @Test("Gather with shared axes takes the same as GatherND")
    func batches() throws {
        let chosen = try #require(Tensor(extents: [2, 2], [Int64(2), -1, 0, 1]))
        let tuples = try #require(chosen.reshaped(to: [2, 2, 1]))
        let left = try run(Gather(axis: 1, batchAxes: 1), [counting([2, 3, 4]), chosen])[0]
        let right = try run(GatherND(batchAxes: 1), [counting([2, 3, 4]), tuples])[0]
        #expect(left.elements(as: Float.self) == right.elements(as: Float.self))
        #expect(left.elements(as: Float.self).prefix(4) == [8, 9, 10, 11])
    }

    @Test("colliding updates are joined in order")
    func scatter() throws {
        let indices = Tensor(vector: [Int64(1), 1, -1])
        func scattered(_ reduction: Reduction) throws -> [Float] {
            let inputs = [floats([1, 2, 3]), indices, floats([5, 7, 2])]
            return try run(ScatterElements(reduction: reduction), inputs)[0].elements(as: Float.self)
        }
        #expect(try scattered(.none) == [1, 7, 2])
        #expect(try scattered(.add) == [1, 14, 5])
        #expect(try scattered(.mul) == [1, 70, 6])
        #expect(try scattered(.max) == [1, 7, 3])
        #expect(try scattered(.min) == [1, 2, 2])
    }

    @Test("running extremes take the later of equals")
    func extremes() throws {
        let results = try run(
            CumulativeExtreme(axis: -1, isMinimum: false), [floats([1, 3, 2, 3, 0])], outputs: 2)
        #expect(results[0].elements(as: Float.self) == [1, 3, 3, 3, 3])
        #expect(results[1].elements(as: Int64.self) == [0, 1, 1, 3, 3])
    }

    @Test("corner pooling carries maxima from the named edge")
    func corners() throws {
        let x = try #require(Tensor(extents: [1, 1, 2, 3], [Float(1), 5, 2, 4, 0, 3]))
        let expected: [CornerPool.Direction: [Float]] = [
            .top: [4, 5, 3, 4, 0, 3], .bottom: [1, 5, 2, 4, 5, 3], .left: [5, 5, 2, 4, 3, 3],
            .right: [1, 5, 5, 4, 4, 4],
        ]
        for (direction, values) in expected {
            #expect(try run(CornerPool(direction: direction), [x])[0].elements(as: Float.self) == values)
        }
    }

    @Test("a matrix times its inverse is the identity")
    func inverse() throws {
        let x: [Float] = [0, 2, 1, 1, 3, -1, 4, 0, 5]
        let matrix = try #require(Tensor(extents: [3, 3], x))
        let y = try run(Inverse(), [matrix])[0].elements(as: Float.self)
        for index in 0..<9 {
            let sum = (0..<3).reduce(Float(0)) { $0 + x[index / 3 * 3 + $1] * y[$1 * 3 + index % 3] }
            #expect(abs(sum - (index / 3 == index % 3 ? 1 : 0)) < 1e-5)
        }
    }

    @Test("masks and priors lie where the formulas say")
    func openMMLab() throws {
        let base = try #require(Tensor(extents: [1, 4], [Float(-1), -2, 1, 2]))
        let priors = try run(
            GridPriors(strideHeight: 10, strideWidth: 100), [base, counting([2]), counting([2])])[0]
        #expect(priors.elements(as: Float.self).suffix(8) == [-1, 8, 1, 12, 99, 8, 101, 12])
        let x = counting([1, 3, 1, 2], from: 1)
        let collected = try run(PSAMask(distributes: false, maskHeight: 1, maskWidth: 3), [x])[0]
        #expect(collected.elements(as: Float.self) == [3, 2, 5, 4])
        let distributed = try run(PSAMask(distributes: true, maskHeight: 1, maskWidth: 3), [x])[0]
        #expect(distributed.elements(as: Float.self) == [3, 5, 2, 4])
    }
}
