import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Arithmetic of integers and special numbers")
struct ArithmeticTests {
    @Test("integers wrap and division by zero gives 0")
    func wrapping() throws {
        let a = Tensor(vector: [Int8.max, Int8.min, 7, -7])
        let b = Tensor(vector: [Int8(1), -1, 0, 2])
        #expect(try run(Add(), [a, b])[0].elements(as: Int8.self) == [.min, .max, 7, -5])
        #expect(try run(Div(), [a, b])[0].elements(as: Int8.self) == [.max, .min, 0, -3])
        #expect(try run(Mod(), [a, b])[0].elements(as: Int8.self) == [0, 0, 0, 1])
        #expect(try run(Mod(truncates: true), [a, b])[0].elements(as: Int8.self) == [0, 0, 0, -1])
    }

    @Test(
        "the remainder takes the sign of the divisor, or of the dividend",
        arguments: [
            (5.5, 2.0, 1.5, 1.5), (-5.5, 2, 0.5, -1.5), (5.5, -2, -0.5, 1.5), (3, .infinity, 3, 3),
            (-3, .infinity, .infinity, -3),
        ])
    func remainder(a: Double, b: Double, floored: Double, truncated: Double) throws {
        let operands = [Tensor(scalar: a), Tensor(scalar: b)]
        #expect(try run(Mod(), operands)[0].elements(as: Double.self) == [floored])
        #expect(try run(Mod(truncates: true), operands)[0].elements(as: Double.self) == [truncated])
    }

    @Test("shifts beyond the width leave the sign alone")
    func shifts() throws {
        let a = Tensor(vector: [Int16(-8), -8, 5, -1])
        let b = Tensor(vector: [Int16(1), 16, 16, -1])
        #expect(try run(BitShift(isLeft: false), [a, b])[0].elements(as: Int16.self) == [-4, -1, 0, -1])
        #expect(try run(BitShift(isLeft: true), [a, b])[0].elements(as: Int16.self) == [-16, 0, 0, 0])
    }

    @Test("powers of mixed types")
    func powers() throws {
        let integers = Tensor(vector: [Int64(2), -3, 1, -1, 0])
        let exponents = Tensor(vector: [Int32(10), 3, -5, -3, -1])
        #expect(try run(Pow(), [integers, exponents])[0].elements(as: Int64.self) == [1024, -27, 1, -1, 0])
        let halves = try run(Pow(), [Tensor(vector: [Float(4), 9]), Tensor(scalar: 0.5)])
        #expect(halves[0].elements(as: Float.self) == [2, 3])
        #expect(
            try run(Pow(), [integers, Tensor(scalar: Float(2))])[0].elements(as: Int64.self) == [
                4, 9, 1, 1, 0,
            ])
    }

    @Test("NaN wins maxima and loses comparisons", arguments: InstructionSet.available)
    func nan(instructionSet: InstructionSet) throws {
        let a = Tensor(vector: [Float.nan, 1, 2])
        let b = Tensor(vector: [Float(0), .nan, 1])
        let greatest = try run(Max(), [a, b, b], on: instructionSet)[0].elements(as: Float.self)
        #expect(greatest[0].isNaN && greatest[1].isNaN && greatest[2] == 2)
        for op in [Less(), LessOrEqual(), Greater(), GreaterOrEqual(), Equal()] as [any Operator] {
            #expect(try run(op, [a, a], on: instructionSet)[0].elements(as: UInt8.self)[0] == 0)
        }
    }

    @Test("any number of operands, each broadcast")
    func variadic() throws {
        let operands = [Tensor(vector: [Float(1), 2, 3]), Tensor(scalar: Float(4)), ramp([2, 1], from: 10)]
        #expect(try run(Sum(), operands)[0].elements(as: Float.self) == [15, 16, 17, 16, 17, 18])
        #expect(
            try run(Mean(), operands)[0].elements(as: Float.self).map { ($0 * 3).rounded() } == [
                15, 16, 17, 16, 17, 18,
            ])
        #expect(try run(Min(), operands)[0].elements(as: Float.self) == [1, 2, 3, 1, 2, 3])
        #expect(try run(Max(), [operands[0]])[0].elements(as: Float.self) == [1, 2, 3])
        let bytes = [
            Tensor(vector: [UInt8(1), 200]), Tensor(vector: [UInt8(7), 7]), Tensor(vector: [UInt8(0), 255]),
        ]
        #expect(try run(Max(), bytes)[0].elements(as: UInt8.self) == [7, 255])
    }

    @Test("strings are compared and chosen")
    func strings() throws {
        let a = try #require(Tensor(extents: [2, 1], strings: [ByteString("a"), ByteString("b")]))
        let b = try #require(Tensor(extents: [2], strings: [ByteString("b"), ByteString("a")]))
        #expect(try run(Equal(), [a, b])[0].elements(as: UInt8.self) == [0, 1, 1, 0])
        let chosen = try run(Where(), [Tensor(vector: [true, false]), a, b])[0]
        #expect(chosen.withStrings == ["a", "a", "b", "a"])
    }

    @Test("the slope of PRelu is broadcast to X alone")
    func slope() throws {
        let x = try #require(ramp([2, 2], from: -2))
        let slope = Tensor(vector: [Float(2), 3])
        #expect(try run(PRelu(), [x, slope])[0].elements(as: Float.self) == [-4, -3, 0, 1])
        #expect(throws: Misfit.self) { try run(PRelu(), [slope, x]) }
    }
}

extension Tensor {
    var withStrings: [String] { strings.map(\.text) }
}
