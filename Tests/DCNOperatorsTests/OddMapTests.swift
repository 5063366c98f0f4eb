import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What docstrings of operators that go element by element say of NaN and infinities.
@Suite("Maps of numbers at the edge")
struct OddMapTests {
    private static let sets = InstructionSet.available
    private static let infinity = Double.infinity

    /// What an operator makes of numbers in float32 and float64, repeated so that whole vectors and their ends are met.
    private func answers(_ op: any Operator, _ operands: [[Double]], on set: InstructionSet) throws
        -> [[Double]]
    {
        let count = operands[0].count
        let repeated = operands.map { list in (0..<count * 11).map { list[$0 % count] } }
        let single = try run(op, repeated.map { Tensor(vector: $0.map { Float($0) }) }, on: set)[0]
        let double = try run(op, repeated.map { Tensor(vector: $0) }, on: set)[0]
        if single.type.element == .bool {
            return [single, double].map { $0.elements(as: UInt8.self).map(Double.init) }
        }
        return [single.elements(as: Float.self).map(Double.init), double.elements(as: Double.self)]
    }

    private func expect(
        _ op: any Operator, _ operands: [[Double]], give expected: [Double], on set: InstructionSet
    ) throws {
        for got in try answers(op, operands, on: set) {
            let agrees = got.enumerated().allSatisfy { index, value in
                let wanted = expected[index % expected.count]
                return value == wanted || value.isNaN && wanted.isNaN
                    || wanted.isFinite && abs(value - wanted) < 1e-5
            }
            #expect(agrees, "\(op): \(got.prefix(expected.count)), expected \(expected)")
        }
    }

    @Test("activations go to their limits, and NaN stays", arguments: sets)
    func activations(_ set: InstructionSet) throws {
        let (x, infinity) = ([Double.nan, .infinity, -.infinity], Self.infinity)
        let cases: [(any Operator, high: Double, low: Double)] = [
            (LeakyRelu(alpha: 0.5), infinity, -infinity), (ThresholdedRelu(), infinity, 0),
            (Elu(alpha: 2), infinity, -2), (Selu(alpha: 2, gamma: 3), infinity, -6),
            (Celu(alpha: 2), infinity, -2), (Shrink(bias: 1), infinity, -infinity), (Sigmoid(), 1, 0),
            (HardSigmoid(), 1, 0), (HardSwish(), infinity, 0), (Swish(), infinity, 0), (Tanh(), 1, -1),
            (Softplus(), infinity, 0), (Softsign(), 1, -1), (Mish(), infinity, 0), (Gelu(), infinity, 0),
        ]
        for (op, high, low) in cases { try expect(op, [x], give: [.nan, high, low], on: set) }
    }

    @Test("functions outside their domain, and at its ends", arguments: sets)
    func functions(_ set: InstructionSet) throws {
        let (x, infinity) = ([Double.nan, .infinity, -.infinity], Self.infinity)
        for op in [Floor(), Ceil(), Round(), Sinh(), Asinh(), Neg()] as [any Operator] {
            let sign: Double = op is Neg ? -1 : 1
            try expect(op, [x], give: [.nan, sign * infinity, -sign * infinity], on: set)
        }
        for op in [Abs(), Cosh()] as [any Operator] {
            try expect(op, [x], give: [.nan, infinity, infinity], on: set)
        }
        for op in [Sin(), Cos(), Tan()] as [any Operator] {
            try expect(op, [x], give: [.nan, .nan, .nan], on: set)
        }
        for op in [Asin(), Acos()] as [any Operator] {
            try expect(op, [[.nan, 1.5, -1.5]], give: [.nan, .nan, .nan], on: set)
        }
        try expect(Atan(), [x], give: [.nan, .pi / 2, -.pi / 2], on: set)
        try expect(Acosh(), [[.nan, 0.5, 1]], give: [.nan, .nan, 0], on: set)
        try expect(Atanh(), [[1, -1, 1.5]], give: [infinity, -infinity, .nan], on: set)
        try expect(Log(), [[.nan, 0, -1, infinity]], give: [.nan, -infinity, .nan, infinity], on: set)
    }

    @Test("nothing compares with NaN, and zeros are equal", arguments: sets)
    func comparisons(_ set: InstructionSet) throws {
        let a: [Double] = [.nan, 1, .nan, 0, -.infinity], b: [Double] = [1, .nan, .nan, -0.0, .infinity]
        try expect(Equal(), [a, b], give: [0, 0, 0, 1, 0], on: set)
        try expect(Less(), [a, b], give: [0, 0, 0, 0, 1], on: set)
        try expect(LessOrEqual(), [a, b], give: [0, 0, 0, 1, 1], on: set)
        try expect(Greater(), [a, b], give: [0, 0, 0, 0, 0], on: set)
        try expect(GreaterOrEqual(), [a, b], give: [0, 0, 0, 1, 0], on: set)
    }

    @Test("arithmetic follows IEEE 754, extremes are NaN where an operand is", arguments: sets)
    func arithmetic(_ set: InstructionSet) throws {
        let infinity = Self.infinity
        let a: [Double] = [.nan, 1, infinity, 0, -1], b: [Double] = [1, .nan, -infinity, 0, 0]
        try expect(Add(), [a, b], give: [.nan, .nan, .nan, 0, -1], on: set)
        try expect(Sub(), [a, b], give: [.nan, .nan, infinity, 0, -1], on: set)
        try expect(Mul(), [a, b], give: [.nan, .nan, -infinity, 0, 0], on: set)
        try expect(Div(), [a, b], give: [.nan, .nan, .nan, .nan, -infinity], on: set)
        try expect(PRelu(), [a, b], give: [.nan, 1, infinity, 0, 0], on: set)
        try expect(Max(), [a, b], give: [.nan, .nan, infinity, 0, 0], on: set)
        try expect(Min(), [a, b], give: [.nan, .nan, -infinity, 0, -1], on: set)
        try expect(Sum(), [a, b, a], give: [.nan, .nan, .nan, 0, -2], on: set)
        try expect(Mean(), [a, b], give: [.nan, .nan, .nan, 0, -0.5], on: set)
        try expect(Pow(), [[.nan, 1, 0, -8], [0, .nan, -1, 0.5]], give: [1, 1, infinity, .nan], on: set)
    }

    @Test("what is not chosen has no say", arguments: sets)
    func choice(_ set: InstructionSet) throws {
        let flags = try #require(
            Tensor(TensorType(.bool, extents: [2]), bytesOf: [1, 0] as [UInt8]))
        let a = Tensor(vector: [Float(1), .nan]), b = Tensor(vector: [Float.nan, 2])
        #expect(try run(Where(), [flags, a, b], on: set)[0].elements(as: Float.self) == [1, 2])
    }

    @Test("thresholds of NaN", arguments: sets)
    func thresholds(_ set: InstructionSet) throws {
        try expect(Binarizer(), [[.nan, .infinity, -.infinity]], give: [0, 1, 0], on: set)
    }
}
