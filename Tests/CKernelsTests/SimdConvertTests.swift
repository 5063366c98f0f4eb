import CKernels
import Foundation
import Testing

private struct Format: Sendable, CustomTestStringConvertible {
    let name: String
    let type: dcn_element
    let codes: Int
    var testDescription: String { name }
}

private let formats = [
    Format(name: "float16", type: DCN_ELEMENT_F16, codes: 65536),
    Format(name: "bfloat16", type: DCN_ELEMENT_BF16, codes: 65536),
    Format(name: "e4m3fn", type: DCN_ELEMENT_F8E4M3FN, codes: 256),
    Format(name: "e4m3fnuz", type: DCN_ELEMENT_F8E4M3FNUZ, codes: 256),
    Format(name: "e5m2", type: DCN_ELEMENT_F8E5M2, codes: 256),
    Format(name: "e5m2fnuz", type: DCN_ELEMENT_F8E5M2FNUZ, codes: 256),
]

/// The value of a code, from the definition of its format.
private func value(_ code: Int, exponent: Int, mantissa: Int, bias: Int, special: (Int, Int, Int) -> Double?)
    -> Double
{
    let sign = code >> (exponent + mantissa), e = code >> mantissa & ((1 << exponent) - 1),
        m = code & ((1 << mantissa) - 1)
    if let known = special(sign, e, m) { return known }
    let size =
        e == 0
        ? Double(m) * pow(2, Double(1 - bias - mantissa))
        : (1 + Double(m) / Double(1 << mantissa)) * pow(2, Double(e - bias))
    return sign == 1 ? -size : size
}

private func value(_ format: Format, _ code: Int) -> Double {
    func ieee(_ top: Int) -> (Int, Int, Int) -> Double? {
        { s, e, m in e == top ? (m == 0 ? (s == 1 ? -.infinity : .infinity) : .nan) : nil }
    }
    let unsigned: (Int, Int, Int) -> Double? = { s, e, m in s == 1 && e == 0 && m == 0 ? .nan : nil }
    switch format.type {
    case DCN_ELEMENT_F16: return value(code, exponent: 5, mantissa: 10, bias: 15, special: ieee(31))
    case DCN_ELEMENT_BF16: return value(code, exponent: 8, mantissa: 7, bias: 127, special: ieee(255))
    case DCN_ELEMENT_F8E4M3FN:
        return value(code, exponent: 4, mantissa: 3, bias: 7) { _, e, m in e == 15 && m == 7 ? .nan : nil }
    case DCN_ELEMENT_F8E4M3FNUZ: return value(code, exponent: 4, mantissa: 3, bias: 8, special: unsigned)
    case DCN_ELEMENT_F8E5M2: return value(code, exponent: 5, mantissa: 2, bias: 15, special: ieee(31))
    default: return value(code, exponent: 5, mantissa: 2, bias: 16, special: unsigned)
    }
}

@Suite("Conversions")
struct ConversionTests {
    private func narrow(_ kernels: SimdKernels, _ format: Format, _ x: [Float], saturate: Int32 = 0) -> [Int]
    {
        if format.codes == 256 {
            var y = [UInt8](repeating: 7, count: x.count)
            kernels.table.from_f32(format.type, saturate, x, &y, x.count)
            return y.map { Int($0) }
        }
        var y = [UInt16](repeating: 7, count: x.count)
        kernels.table.from_f32(format.type, saturate, x, &y, x.count)
        return y.map { Int($0) }
    }

    @Test("every code has the value of its format, and comes back", arguments: SimdKernels.available, formats)
    fileprivate func codes(kernels: SimdKernels, format: Format) {
        var y = [Float](repeating: 0, count: format.codes)
        if format.codes == 256 {
            kernels.table.to_f32(format.type, (0..<256).map { UInt8($0) }, &y, 256)
        } else {
            kernels.table.to_f32(format.type, (0..<65536).map { UInt16($0) }, &y, 65536)
        }
        let back = narrow(kernels, format, y)
        for code in 0..<format.codes {
            let expected = value(format, code)
            #expect(expected.isNaN ? y[code].isNaN : Double(y[code]) == expected, "\(code): \(y[code])")
            if !expected.isNaN {
                #expect(back[code] == code, "\(code) \(back[code])")
            } else {
                #expect(value(format, back[code]).isNaN)
            }
        }
    }

    @Test(
        "between codes the nearest is taken, of two the even one", arguments: SimdKernels.available, formats)
    fileprivate func rounding(kernels: SimdKernels, format: Format) {
        var x: [Float] = [], expected: [Int] = []
        for code in 0..<format.codes / 2 - 1 {
            let low = value(format, code), high = value(format, code + 1)
            guard low.isFinite, high.isFinite else { break }
            let middle = Float((low + high) / 2)
            guard middle.nextUp != middle, Double(middle) == (low + high) / 2 else { continue }
            x += [middle, middle.nextUp, middle.nextDown, -middle.nextUp]
            let even = code % 2 == 0 ? code : code + 1
            expected += [even, code + 1, code, code + 1 + format.codes / 2]
        }
        #expect(x.count > 100)
        let got = narrow(kernels, format, x)
        for i in x.indices { #expect(got[i] == expected[i], "\(x[i]): \(got[i]), \(expected[i])") }
    }

    @Test("beyond the range: the greatest, infinity or NaN", arguments: SimdKernels.available, formats)
    fileprivate func overflow(kernels: SimdKernels, format: Format) {
        guard format.codes == 256 else {
            let halves = narrow(kernels, format, [.infinity, -.infinity, .greatestFiniteMagnitude, .nan])
            #expect(value(format, halves[0]) == .infinity && value(format, halves[1]) == -.infinity)
            #expect(value(format, halves[2]) == .infinity && value(format, halves[3]).isNaN)
            return
        }
        let most = (0..<128).map { value(format, $0) }.filter(\.isFinite).max() ?? 0
        let x: [Float] = [1e9, -1e9, .infinity, -.infinity, .nan]
        let kept = narrow(kernels, format, x, saturate: 1).map { value(format, $0) }
        #expect(kept.prefix(4) == [most, -most, most, -most] && kept[4].isNaN)
        let lost = narrow(kernels, format, x).map { value(format, $0) }
        let infinite = format.type == DCN_ELEMENT_F8E5M2
        for i in 0..<4 {
            #expect(infinite ? lost[i] == (i % 2 == 0 ? .infinity : -.infinity) : lost[i].isNaN)
        }
    }

    @Test("powers of two and four bits", arguments: SimdKernels.available)
    func small(kernels: SimdKernels) {
        var power = [UInt8](repeating: 0, count: 6)
        kernels.table.from_f32(DCN_ELEMENT_F8E8M0, 1, [1, 2, 3, 2.9, .nan, .infinity], &power, 6)
        #expect(power == [127, 128, 129, 128, 255, 254])
        kernels.table.from_f32(
            DCN_ELEMENT_F8E8M0, Int32(DCN_ROUND_UP), [1, 2, 2.1, 4, .nan, 0x1p-149], &power, 6)
        #expect(power == [127, 128, 129, 129, 255, 0])
        var y = [Float](repeating: 0, count: 3)
        kernels.table.to_f32(DCN_ELEMENT_F8E8M0, [0, 127, 130] as [UInt8], &y, 3)
        #expect(y == [0x1p-127, 1, 8])
        var packed = [UInt8](repeating: 0xff, count: 4)
        kernels.table.from_f32(DCN_ELEMENT_F4E2M1, 1, [0, 0.5, -1, 1.5, 2.5, -6, 100], &packed, 7)
        #expect(packed == [0x10, 0x3a, 0xf4, 0x07])
        var four = [Float](repeating: 0, count: 7)
        kernels.table.to_f32(DCN_ELEMENT_F4E2M1, packed, &four, 7)
        #expect(four == [0, 0.5, -1, 1.5, 2, -6, 6])
        kernels.table.from_f32(DCN_ELEMENT_I4, 0, [-8, 7, -9, 3.9, -0.5, .nan, 1], &packed, 7)
        #expect(packed == [0x78, 0x38, 0x00, 0x01])
        kernels.table.to_f32(DCN_ELEMENT_I4, packed, &four, 7)
        #expect(four == [-8, 7, -8, 3, 0, 0, 1])
        var bytes = [UInt8](repeating: 0, count: 8)
        kernels.table.unpack(DCN_ELEMENT_I2, [0b11_10_01_00, 0b1] as [UInt8], &bytes, 5)
        #expect(bytes.prefix(5).map { Int8(bitPattern: $0) } == [0, 1, -2, -1, 1])
        kernels.table.pack(DCN_ELEMENT_U2, bytes, &packed, 5)
        #expect(packed.prefix(2) == [0b11_10_01_00, 0b1])
    }

    @Test("casts bound floats and wrap integers", arguments: SimdKernels.available)
    func casts(kernels: SimdKernels) {
        let x: [Float] = [1.9, -1.9, 300, -300, 3e9, -3e9, 1e20, -1e20, .nan, .infinity]
        func cast<T>(_ to: dcn_element, _ zero: T) -> [T] {
            var y = [T](repeating: zero, count: x.count)
            y.withUnsafeMutableBytes { kernels.table.cast(DCN_ELEMENT_F32, to, x, $0.baseAddress, x.count) }
            return y
        }
        func bounded<T: FixedWidthInteger>(_: T.Type) -> [T] {
            x.map { $0.isNaN ? 0 : T(exactly: $0.rounded(.towardZero)) ?? ($0 < 0 ? .min : .max) }
        }
        #expect(cast(DCN_ELEMENT_I8, Int8(0)) == bounded(Int8.self))
        #expect(cast(DCN_ELEMENT_U8, UInt8(0)) == bounded(UInt8.self))
        #expect(cast(DCN_ELEMENT_I16, Int16(0)) == bounded(Int16.self))
        #expect(cast(DCN_ELEMENT_U16, UInt16(0)) == bounded(UInt16.self))
        #expect(cast(DCN_ELEMENT_I32, Int32(0)) == bounded(Int32.self))
        #expect(cast(DCN_ELEMENT_U32, UInt32(0)) == bounded(UInt32.self))
        #expect(cast(DCN_ELEMENT_I64, Int64(0)) == bounded(Int64.self))
        #expect(cast(DCN_ELEMENT_U64, UInt64(0)) == bounded(UInt64.self))
        #expect(cast(DCN_ELEMENT_BOOL, UInt8(0)) == [UInt8](repeating: 1, count: 10))
        let whole: [Int64] = [0, 1, -1, 300, 1 << 40, .min]
        var narrow = [Int8](repeating: 0, count: 6), wide = [Double](repeating: 0, count: 6)
        kernels.table.cast(DCN_ELEMENT_I64, DCN_ELEMENT_I8, whole, &narrow, 6)
        kernels.table.cast(DCN_ELEMENT_I64, DCN_ELEMENT_F64, whole, &wide, 6)
        #expect(narrow == whole.map { Int8(truncatingIfNeeded: $0) } && wide == whole.map(Double.init))
    }

    @Test("linear quantisation, per tensor, row and column", arguments: SimdKernels.available)
    func quantisation(kernels: SimdKernels) {
        var noise = Noise(91)
        let (rows, columns) = (5, 37)
        var x = noise.floats(rows * columns, -40, 40)
        (x[3], x[4], x[5], x[6]) = (.nan, .infinity, -.infinity, 0.75)
        let types: [(dcn_element, Int, Int)] = [
            (DCN_ELEMENT_I8, -128, 127), (DCN_ELEMENT_U8, 0, 255), (DCN_ELEMENT_I16, -32768, 32767),
            (DCN_ELEMENT_U16, 0, 65535), (DCN_ELEMENT_I4, -8, 7), (DCN_ELEMENT_U2, 0, 3),
        ]
        for (row, column) in [(0, 0), (1, 0), (0, 1), (columns, 1)] {
            let scale = noise.floats(rows * columns, 0.1, 0.9), zero = scale.indices.map { Int32($0 % 7) - 2 }
            for (type, low, high) in types {
                var shape = dcn_broadcast()
                (shape.rows, shape.columns, shape.a_row, shape.a_column) = (rows, columns, row, column)
                (shape.b_row, shape.y_row) = (columns, columns)
                let wide = high > 255 || low < -128
                var bytes = [UInt8](repeating: 0, count: rows * columns * 2)
                kernels.table.quantize(type, &shape, x, scale, zero, &bytes)
                var back = [Float](repeating: 0, count: rows * columns)
                kernels.table.dequantize(type, &shape, bytes, scale, zero, &back)
                for i in x.indices {
                    let at = i / columns * row + i % columns * column
                    let ratio = (x[i] / scale[at]).rounded(.toNearestOrEven)
                    let bounded = ratio.isNaN ? 0 : Int(min(max(ratio, -1e6), 1e6))
                    let expected = min(max(bounded + Int(zero[at]), low), high)
                    let code = wide ? Int(bytes[2 * i]) | Int(bytes[2 * i + 1]) << 8 : Int(bytes[i])
                    let got =
                        low < 0
                        ? (wide ? Int(Int16(truncatingIfNeeded: code)) : Int(Int8(truncatingIfNeeded: code)))
                        : code
                    #expect(got == expected, "\(x[i]) / \(scale[at]) + \(zero[at])")
                    #expect(back[i] == Float(expected - Int(zero[at])) * scale[at])
                }
            }
        }
    }
}
