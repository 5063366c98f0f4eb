import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Maps of one operand")
struct ActivationTests {
    static let maps: [any UnaryMap] = [
        Relu(), LeakyRelu(alpha: 0.1), ThresholdedRelu(alpha: 0.5), Elu(alpha: 1.5), Selu(), Celu(alpha: 2),
        Shrink(bias: 0.25),
        Sigmoid(), HardSigmoid(), HardSwish(), Swish(), Swish(alpha: 1.702), Tanh(), Softplus(), Softsign(),
        Mish(), Gelu(),
        Gelu(isApproximate: true), Abs(), Neg(), Sign(), Floor(), Ceil(), Round(), Sqrt(), Reciprocal(),
        Exp(), Log(),
        Erf(), Sin(), Cos(), Tan(), Asin(), Acos(), Atan(), Sinh(), Cosh(), Asinh(), Acosh(), Atanh(),
    ]
    static let points: [Double] =
        stride(from: -6, through: 6, by: 0.25).map { $0 } + [-1e4, 1e4, 1e-20, .infinity, -.infinity, .nan]

    @Test(
        "float32 agrees with the formula, float64 is the formula", arguments: maps.indices,
        InstructionSet.available)
    func formula(index: Int, instructionSet: InstructionSet) throws {
        let map = Self.maps[index]
        let single = Tensor(vector: Self.points.map { Float($0) })
        let got = try run(map, [single], on: instructionSet)[0].elements(as: Float.self)
        for (x, y) in zip(Self.points, got) {
            let expected = map.value(Double(Float(x)))
            #expect(isClose(Double(y), expected), "\(map.name)(\(x)) is \(y), expected \(expected)")
        }
        let double = try run(map, [Tensor(vector: Self.points)], on: instructionSet)[0].elements(
            as: Double.self)
        #expect(
            zip(double, Self.points).allSatisfy { $0 == map.value($1) || ($0.isNaN && map.value($1).isNaN) })
    }

    @Test("padding of channels last stays zero", arguments: maps.indices)
    func padding(index: Int) throws {
        let x = try #require(ramp([2, 3, 2, 2], from: 0.5))
        let last = try run(Self.maps[index], [toChannelsLast(x)])[0]
        #expect(
            zip(
                last.elements(as: Float.self),
                toChannelsLast(try run(Self.maps[index], [x])[0]).elements(as: Float.self)
            )
            .allSatisfy { isClose(Double($0), Double($1)) })
    }

    @Test("known values")
    func values() {
        #expect(abs(Gelu().value(1) - 0.841_344_746) < 1e-9)
        #expect(abs(Gelu(isApproximate: true).value(1) - 0.841_191_990) < 1e-9)
        #expect(abs(Mish().value(1) - 0.865_098_388) < 1e-9)
        #expect(abs(Selu().value(-1) + 1.111_330_7) < 1e-6)
        #expect(Round().value(2.5) == 2 && Round().value(-3.5) == -4)
    }

    @Test("integers")
    func integers() throws {
        let x = Tensor(vector: [Int8.min, -1, 0, 5])
        #expect(try run(Abs(), [x])[0].elements(as: Int8.self) == [.min, 1, 0, 5])
        #expect(try run(Sign(), [x])[0].elements(as: Int8.self) == [-1, -1, 0, 1])
        #expect(try run(Relu(), [x])[0].elements(as: Int8.self) == [0, 0, 0, 5])
        #expect(try run(BitwiseNot(), [x])[0].elements(as: Int8.self) == [127, 0, -1, -6])
        #expect(
            try run(Clip(), [x, nil, Tensor(scalar: Int8(1))])[0].elements(as: Int8.self) == [.min, -1, 0, 1])
    }

    @Test("bounds are applied one after the other, and types are checked")
    func clip() throws {
        let x = Tensor(vector: [Float(-2), 0.5, .nan, 9])
        let y = try run(Clip(), [x, Tensor(scalar: Float(-1)), Tensor(scalar: Float(1))])[0].elements(
            as: Float.self)
        #expect(y[0] == -1 && y[1] == 0.5 && y[2].isNaN && y[3] == 1)
        #expect(
            try run(Clip(), [x, Tensor(scalar: Float(2)), Tensor(scalar: Float(1))])[0].elements(
                as: Float.self)[3] == 1)
        #expect(throws: Misfit.self) { try run(Clip(), [x, Tensor(scalar: 1)]) }
        #expect(throws: Misfit.self) { try run(Sqrt(), [Tensor(vector: [Int32(1)])]) }
    }

    @Test("infinity and NaN are told apart in every float format")
    func predicates() throws {
        let x = Tensor(vector: [Float.nan, .infinity, -.infinity, 1])
        #expect(try run(IsNaN(), [x])[0].elements(as: UInt8.self) == [1, 0, 0, 0])
        #expect(try run(IsInf(detectsNegative: false), [x])[0].elements(as: UInt8.self) == [0, 1, 0, 0])
        let half = try #require(
            Tensor(TensorType(.float16, extents: [3]), bytesOf: [0x7C00, 0xFC00, 0x7E01] as [UInt16]))
        #expect(try run(IsInf(), [half])[0].elements(as: UInt8.self) == [1, 1, 0])
        #expect(try run(IsNaN(), [half])[0].elements(as: UInt8.self) == [0, 0, 1])
    }

    @Test("a bias before Gelu", arguments: InstructionSet.available)
    func biasGelu(instructionSet: InstructionSet) throws {
        let x = try #require(ramp([2, 3], from: -2))
        let bias = Tensor(vector: [Float(0.5), 0, -0.5])
        let y = try run(BiasGelu(), [x, bias], on: instructionSet)[0].elements(as: Float.self)
        let sums = broadcast(x, bias, +).values
        #expect(zip(y, sums).allSatisfy { isClose(Double($0), Gelu().value(Double($1))) })
    }

    @Test("dropout keeps what it does not zero")
    func dropout() throws {
        let x = Tensor(vector: [Float](repeating: 1, count: 1000))
        let still = try run(Dropout(seed: 1), [x, nil, nil], outputs: 2)
        #expect(still[0].elements(as: Float.self) == x.elements(as: Float.self))
        #expect(still[1].elements(as: UInt8.self).allSatisfy { $0 == 1 })
        let inputs = [x, Tensor(scalar: Float(0.25)), Tensor(scalar: true)]
        let (y, mask) = (
            try run(Dropout(seed: 1), inputs, outputs: 2)[0], try run(Dropout(seed: 1), inputs, outputs: 2)[1]
        )
        let kept = mask.elements(as: UInt8.self)
        #expect((700...800).contains(kept.count { $0 == 1 }))
        for (value, flag) in zip(y.elements(as: Float.self), kept) {
            #expect(flag == 1 ? isClose(Double(value), 4.0 / 3) : value == 0)
        }
    }
}

func isClose(_ a: Double, _ b: Double, within tolerance: Double = 3e-6) -> Bool {
    a == b || (a.isNaN && b.isNaN) || abs(a - b) <= tolerance * max(abs(b), 0.1)
        || (a.isInfinite && abs(b) > Double(Float.greatestFiniteMagnitude) && (a < 0) == (b < 0))
}
