import DCN
import DCNFiles
import Foundation
import Testing

private let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

@Suite("npy files")
struct NpyTests {
    private static let types = ElementType.allCases.filter { $0 != .string }

    private func image(_ tensor: Tensor) -> [UInt8] {
        var bytes: [UInt8] = []
        let image = NpyImage(tensor)
        try? image.write { (part) throws(DCNError) in bytes += Array(part) }
        return bytes
    }

    private func decode(_ bytes: [UInt8]) throws -> Tensor {
        try bytes.withUnsafeBytes { try decodeNpy($0, wanted: nil) }
    }

    @Test("what was written is read again, widened where NumPy lacks the type", arguments: types)
    func roundTrip(element: ElementType) throws {
        for extents in [[], [0], [3], [2, 3], [2, 1, 4], [1, 0, 2]] {
            let tensor = try #require(Synthetic.random(seed: 3).tensor(TensorType(element, extents: extents)))
            let back = try decode(image(tensor))
            #expect(back.extents == extents)
            #expect(numbers(back) == numbers(tensor))
            if !widensInNumPy(element) { #expect(back.type.element == element) }
        }
    }

    private func widensInNumPy(_ element: ElementType) -> Bool {
        element == .bfloat16 || element.isPacked || (element.isFloat && element.bitWidth < 16)
    }

    @Test("strings are written as wide as the longest")
    func strings() throws {
        let texts = ["", "a", "žluť", "🙂x"]
        let tensor = try #require(Tensor(extents: [2, 2], strings: texts.map { ByteString($0) }))
        #expect(try decode(image(tensor)).byteStrings.map(\.text) == texts)
    }

    @Test("either order, either endianness, every version", arguments: [1, 2, 3])
    func forms(version: Int) throws {
        for fortran in [false, true] {
            for order in ["<", ">"] {
                let values = fortran ? [0, 3, 1, 4, 2, 5] : [0, 1, 2, 3, 4, 5]
                let data: [UInt8] = values.flatMap { (value: Int) -> [UInt8] in
                    order == "<" ? [UInt8(value), 1] : [1, UInt8(value)]
                }
                let text =
                    "{'shape': (2, 3), 'descr': '\(order)i2', 'fortran_order': \(fortran ? "True" : "False")}\n"
                var bytes: [UInt8] = magic + [UInt8(version), 0, UInt8(text.utf8.count), 0]
                if version > 1 { bytes += [0, 0] }
                let tensor = try decode(bytes + Array(text.utf8) + data)
                #expect(tensor.integers == [256, 257, 258, 259, 260, 261])
            }
        }
    }

    @Test("any truncation and any byte changed ends in an answer or an error")
    func damage() throws {
        let tensor = try #require(Tensor(extents: [2, 2], [1, 2, 3, 4] as [Float]))
        let whole = image(tensor)
        for count in whole.indices {
            #expect(throws: NpyFault.self) { try decode(Array(whole[..<count])) }
        }
        for place in whole.indices {
            for change in [0xFF, 0x01, 0x80] as [UInt8] {
                var bytes = whole
                bytes[place] ^= change
                _ = try? decode(bytes)
            }
        }
    }

    @Test(
        "sizes that nobody has are refused",
        arguments: [
            "(9223372036854775807, 2)", "(4294967296, 4294967296)", "(100,)", "(-1,)", "(1e3,)", "((1,),)",
            "5",
        ])
    func hostile(shape: String) {
        for element in ["<f4", "<U4000000000", "|S0", "<U0", "[('a', '<f4')]", "|O", "<f16", "V3"] {
            let text = "{'descr': '\(element)', 'fortran_order': True, 'shape': \(shape)}\n"
            let bytes = magic + [1, 0, UInt8(text.utf8.count), 0] + Array(text.utf8) + [0, 0, 0, 0]
            if shape == "(100,)" && element.hasSuffix("0") && element.count < 5 { continue }
            #expect(throws: NpyFault.self) { try decode(bytes) }
        }
    }
}

@Suite("Narrow numbers")
struct NarrowNumberTests {
    @Test("bits stand for the numbers of their formats")
    func values() {
        let cases: [(ElementType, UInt16, Double)] = [
            (.float8e4m3fn, 0x7E, 448), (.float8e4m3fn, 0x01, 0x1p-9), (.float8e4m3fn, 0xB8, -1),
            (.float8e4m3fn, 0x08, 0x1p-6),
            (.float8e4m3fnuz, 0x7F, 240), (.float8e4m3fnuz, 0x01, 0x1p-10), (.float8e4m3fnuz, 0x40, 1),
            (.float8e5m2, 0x7B, 57344), (.float8e5m2, 0x7C, .infinity), (.float8e5m2, 0xFC, -.infinity),
            (.float8e5m2, 0x01, 0x1p-16),
            (.float8e5m2fnuz, 0x7F, 57344), (.float8e5m2fnuz, 0x01, 0x1p-17), (.float8e8m0, 0x7F, 1),
            (.float8e8m0, 0, 0x1p-127),
            (.float4e2m1, 0x7, 6), (.float4e2m1, 0x1, 0.5), (.float4e2m1, 0xA, -1), (.int4, 0x8, -8),
            (.int4, 0x7, 7),
            (.uint4, 0xF, 15), (.int2, 3, -1), (.uint2, 3, 3), (.float16, 0x3555, 0x1.554p-2),
            (.float16, 0x0001, 0x1p-24),
            (.bfloat16, 0x3F80, 1),
        ]
        for (element, bits, number) in cases {
            #expect(narrowNumber(bits, element) == number, "\(element) \(bits)")
        }
        for (element, bits) in [
            (.float8e4m3fn, 0x7F), (.float8e4m3fn, 0xFF), (.float8e4m3fnuz, 0x80), (.float8e5m2, 0x7D),
            (.float8e5m2fnuz, 0x80), (.float8e8m0, 0xFF), (.float16, 0x7E00),
        ] as [(ElementType, UInt16)] {
            #expect(narrowNumber(bits, element).isNaN, "\(element) \(bits)")
        }
    }

    @Test("half bits of a number are those of the nearest half")
    func halves() {
        for bits in 0..<UInt16(0x7C00) { #expect(halfBits(Float(narrowNumber(bits, .float16))) == bits) }
        #expect(
            halfBits(65520) == 0x7C00 && halfBits(65519) == 0x7BFF && halfBits(0x1p-25) == 0
                && halfBits(0x1.8p-25) == 1)
        #expect(
            halfBits(1 + 0x1p-11) == 0x3C00 && halfBits(1 + 0x1.8p-10) == 0x3C02
                && halfBits(-.infinity) == 0xFC00)
    }
}
