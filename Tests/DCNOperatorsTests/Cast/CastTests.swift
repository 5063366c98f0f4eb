import DCNGraph
import DCNOperators
import TestSupport
import Testing

@Suite("Casts")
struct CastTests {
    static let narrow: [ElementType] = [
        .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float4e2m1,
        .float6e2m3, .float6e3m2,
    ]

    /// Bits of a code, which has a byte of its own where it has six.
    private func width(_ element: ElementType) -> UInt32 {
        element.isSixBit ? 6 : UInt32(element.bitWidth)
    }

    @Test("every code of a narrow float comes back", arguments: narrow)
    func roundTrip(element: ElementType) throws {
        let format = try #require(NarrowFloat(element))
        for code in 0..<UInt32(1) << width(element) {
            let number = format.decoded(code)
            let again = format.encoded(number, saturate: false)
            #expect(number.isNaN ? format.decoded(again).isNaN : again == code)
        }
    }

    @Test("what lies between two codes goes to the nearer, halves to the even one", arguments: narrow)
    func nearest(element: ElementType) throws {
        let format = try #require(NarrowFloat(element))
        for code in 0..<UInt32(1) << (width(element) - 1) - 1 {
            let (low, high) = (format.decoded(code), format.decoded(code + 1))
            guard low.isFinite, high.isFinite, high > low else { continue }
            let middle = (low + high) / 2
            #expect(format.encoded(middle, saturate: true) == (code % 2 == 0 ? code : code + 1))
            #expect(format.encoded(middle.nextDown, saturate: true) == code)
            #expect(format.encoded(middle.nextUp, saturate: true) == code + 1)
        }
    }

    @Test(
        "kernels agree with the formats, on every instruction set", arguments: narrow,
        InstructionSet.available)
    func kernels(element: ElementType, instructionSet: InstructionSet) throws {
        let format = try #require(NarrowFloat(element))
        let values = (-40...40).map { Float($0) * 0.37 } + [1e9, -1e9, .infinity, -.infinity, 0, -0.0, 1e-9]
        let x = Tensor(vector: values)
        let narrow = try run(Cast(to: element), [x], on: instructionSet)[0]
        let back = try run(Cast(to: .float64), [narrow], on: instructionSet)[0].elements(as: Double.self)
        let saturates = element != .float16 && element != .bfloat16
        for (value, got) in zip(values, back) {
            #expect(got == format.decoded(format.encoded(Double(value), saturate: saturates)), "\(value)")
        }
    }

    @Test("texts of narrow floats are the shortest that give the same number again")
    func texts() throws {
        let halves = try run(Cast(to: .float16), [Tensor(vector: [Float(0.479), 65504, 0.1, -0.0, 1e-7])])
        let texts = try run(Cast(to: .string), halves)[0].strings.map(\.text)
        #expect(texts == ["0.479", "65500.0", "0.1", "-0.0", "1e-07"])
        let eighths = try run(Cast(to: .float6e3m2), [Tensor(vector: [Float(0.0625), 28, -1.75])])
        #expect(try run(Cast(to: .string), eighths)[0].strings.map(\.text) == ["0.06", "28.0", "-1.8"])
    }

    @Test("numbers between whole types")
    func whole() throws {
        let x = Tensor(vector: [Float(-1.9), 2.9, 300, -300, .nan])
        #expect(try run(Cast(to: .int8), [x])[0].elements(as: Int8.self) == [-1, 2, 127, -128, 0])
        #expect(try run(Cast(to: .bool), [x])[0].elements(as: UInt8.self) == [1, 1, 1, 1, 1])
        let y = Tensor(vector: [Int64(200), -1, 1 << 40])
        #expect(try run(Cast(to: .int8), [y])[0].elements(as: Int8.self) == [-56, -1, 0])
        #expect(try run(Cast(to: .uint64), [y])[0].elements(as: UInt64.self)[1] == .max)
    }

    @Test("packed integers wrap, and odd counts leave zero bits")
    func packed() throws {
        let x = Tensor(vector: [Int32(-9), 7, 3])
        let four = try run(Cast(to: .int4), [x])[0]
        #expect(four.elements(as: UInt8.self) == [0x77, 0x03])
        #expect(try run(Cast(to: .int32), [four])[0].elements(as: Int32.self) == [7, 7, 3])
        let two = try run(Cast(to: .uint2), [x])[0]
        #expect(try run(Cast(to: .int64), [two])[0].elements(as: Int64.self) == [3, 3, 3])
    }

    @Test("strings are read and written as decimal numbers")
    func strings() throws {
        let text = try #require(
            Tensor(extents: [4], strings: ["1.5", " -INF", "nan", "1e3"].map { ByteString($0) }))
        let numbers = try run(Cast(to: .float32), [text])[0].elements(as: Float.self)
        #expect(numbers[0] == 1.5 && numbers[1] == -.infinity && numbers[2].isNaN && numbers[3] == 1000)
        #expect(try run(Cast(to: .string), [Tensor(vector: [0.25, 3])])[0].withStrings == ["0.25", "3.0"])
        let wrong = try #require(Tensor(extents: [1], strings: [ByteString("three")]))
        #expect(throws: Misfit.value(of: "input", because: "holds 'three', which is no number")) {
            try run(Cast(to: .int32), [wrong])
        }
    }

    @Test(
        "powers of two are rounded as asked",
        arguments: [
            (ScaleRounding.up, [UInt8(128), 129, 127]), (.down, [128, 128, 127]),
            (.nearest, [128, 129, 127]),
        ])
    func scales(rounding: ScaleRounding, codes: [UInt8]) throws {
        let x = Tensor(vector: [Float(2), 3, 1])
        #expect(try run(Cast(to: .float8e8m0, rounding: rounding), [x])[0].elements(as: UInt8.self) == codes)
    }
}
