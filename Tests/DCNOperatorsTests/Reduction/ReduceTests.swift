import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// Values in a fixed disorder, some of them equal.
func shuffled(_ extents: [Int], _ salt: Int = 0) -> Tensor {
    let count = extents.reduce(1, *)
    let values = (0..<count).map { Float(($0 * 37 + salt * 11) % 29 - 14) / 4 }
    return Tensor(extents: extents, values) ?? Tensor(scalar: Float(0))
}

/// The same numbers as float64.
func doubled(_ tensor: Tensor) -> Tensor {
    Tensor(extents: tensor.extents, tensor.elements(as: Float.self).map { Double($0) }) ?? tensor
}

/// The greatest distance of two lists.
func distance(_ a: [Float], _ b: [Double]) -> Double {
    guard a.count == b.count else { return .infinity }
    return zip(a, b).reduce(0) { far, pair in
        let (x, y) = (Double(pair.0), pair.1)
        return x == y || x.isNaN && y.isNaN ? far : max(far, abs(x - y) / max(1, abs(y)))
    }
}

@Suite("Reductions")
struct ReduceTests {
    @Test("vector kernels agree with double precision", arguments: ReduceKind.allCases)
    func vectors(kind: ReduceKind) throws {
        let x = shuffled([3, 5, 2, 7])
        for axes in [[0], [3], [1, 2], [0, 3], [0, 1, 2, 3], [-1, -2]] as [[Int64]] {
            let expected = try run(Reduce(kind), [doubled(x), Tensor(vector: axes)])[0]
            for set in InstructionSet.available {
                let got = try run(Reduce(kind), [x, Tensor(vector: axes)], on: set)[0]
                #expect(got.extents == expected.extents)
                #expect(distance(got.elements(as: Float.self), expected.elements(as: Double.self)) < 1e-5)
            }
        }
    }

    @Test("of nothing a reduction gives its neutral element")
    func nothing() throws {
        let x = try #require(Tensor(extents: [2, 0], [Float]()))
        let axes = Tensor(vector: [Int64(1)])
        let neutral: [(ReduceKind, Float)] = [
            (.sum, 0), (.product, 1), (.maximum, -.infinity), (.minimum, .infinity), (.logSumExp, -.infinity),
            (.l2, 0),
        ]
        for (kind, value) in neutral {
            let got = try run(Reduce(kind, keepsDimensions: false), [x, axes])[0]
            #expect(got.elements(as: Float.self) == [value, value])
        }
        let flags = try #require(Tensor(extents: [1, 0], [Bool]()))
        #expect(try run(Reduce(.minimum), [flags, axes])[0].elements(as: Bool.self) == [true])
        #expect(try run(Reduce(.maximum), [flags, axes])[0].elements(as: Bool.self) == [false])
    }

    @Test("no axes are all or none")
    func noAxes() throws {
        let x = Tensor(vector: [Float(2), 3])
        #expect(try run(Reduce(.sumSquare), [x])[0].elements(as: Float.self) == [13])
        let none = Reduce(.sumSquare, keepsAllWithoutAxes: true)
        #expect(try run(none, [x])[0].elements(as: Float.self) == [4, 9])
    }

    @Test("integers wrap and cut")
    func integers() throws {
        let x = Tensor(vector: [Int32.max, 1, -4])
        #expect(try run(Reduce(.sum), [x])[0].elements(as: Int32.self) == [.min &+ -4])
        #expect(
            try run(Reduce(.mean), [Tensor(vector: [Int32(-3), -4])])[0].elements(as: Int32.self) == [-3])
    }

    @Test("extremes are found first or last, NaN before all")
    func arguments() throws {
        let x = Tensor(vector: [Float(1), 3, 3, 0])
        #expect(try run(ArgExtreme(least: false), [x])[0].integers == [1])
        #expect(try run(ArgExtreme(least: false, takesLast: true), [x])[0].integers == [2])
        #expect(try run(ArgExtreme(least: true), [Tensor(vector: [Float(1), .nan, 0])])[0].integers == [1])
        #expect(throws: Misfit.self) { try run(ArgExtreme(least: true, axis: 1), [x]) }
    }

    @Test("softmax sums to one over the axis it is of", arguments: [0, 1, 2])
    func softmax(axis: Int) throws {
        let x = shuffled([3, 4, 5])
        for set in InstructionSet.available {
            let y = try run(Softmax(axis: axis), [x], on: set)[0]
            let expected = try run(Softmax(axis: axis), [doubled(x)])[0]
            #expect(distance(y.elements(as: Float.self), expected.elements(as: Double.self)) < 1e-5)
            let sums = try run(Reduce(.sum), [y, Tensor(vector: [Int64(axis)])])[0].elements(as: Float.self)
            #expect(sums.allSatisfy { abs($0 - 1) < 1e-5 })
        }
    }
}
