import DCNFormats
import DCNGraph
import Testing

@Suite("Tensors of a file")
struct TensorReaderTests {
    func read(_ message: Proto, limits: ReadingLimits = .init()) throws -> Tensor {
        let bytes = Onnx.model([.bytes(5, message.bytes)])
        return try readOnnx(bytes: bytes, named: "m", limits: limits).graph.initialisers[0].tensor.aligned()
    }

    func refusal(_ message: Proto) -> String {
        let text = outcome(Onnx.model([.bytes(5, message.bytes)]))
        return text.replacing("m.onnx: graph.initializer[0] 'w': read: ", with: "")
    }

    @Test("raw bytes are lent as they lie, whatever the type", arguments: ElementType.allCases)
    func raw(element: ElementType) throws {
        guard element != .string else { return }
        guard !element.isSixBit else { return }
        let count = TensorType(element, extents: [3, 3]).byteCount ?? 0
        let bytes = (0..<count).map { UInt8($0 % 2) }
        let tensor = try read(Onnx.tensor(type: element.rawValue, [3, 3], .bytes(9, bytes)))
        #expect(tensor.type == TensorType(element, extents: [3, 3]))
        #expect(tensor.withBytes { Array($0) } == bytes)
    }

    @Test(
        "typed numbers have the bytes that raw ones would have",
        arguments: [
            (ElementType.int32, 5, [1, -2, 3]), (.int16, 5, [1, -2, 300]), (.int8, 5, [1, -2, 127]),
            (.uint8, 5, [1, 2, 255]), (.uint16, 5, [1, 2, 65535]), (.float16, 5, [1, 0x7c00, 65535]),
            (.bfloat16, 5, [1, 0x7f80, 65535]), (.bool, 5, [0, 1, 1]), (.int64, 7, [1, -2, 1 << 40]),
            (.uint32, 11, [1, 2, 1 << 31]), (.uint64, 11, [1, 2, -1]), (.float8e4m3fn, 5, [1, 128, 255]),
        ])
    func typed(element: ElementType, field: Int, numbers: [Int]) throws {
        let expected = numbers.flatMap { number in
            withUnsafeBytes(of: number.littleEndian) { Array($0.prefix(element.byteWidth)) }
        }
        let packed = Onnx.tensor(type: element.rawValue, [3], .packed(field, numbers))
        #expect(try read(packed).withBytes { Array($0) } == expected)
        let mixed = Onnx.tensor(
            type: element.rawValue, [3], .int(field, numbers[0]), .packed(field, Array(numbers[1...])))
        #expect(try read(mixed).withBytes { Array($0) } == expected)
    }

    @Test("floats in one run and in several")
    func floats() throws {
        let one = Onnx.tensor(type: 1, [3], .packed(4, [1, 2, 3] as [Float]))
        let several = Onnx.tensor(type: 1, [3], .packed(4, [1, 2] as [Float]), .float(4, 3))
        #expect(try read(one).elements(as: Float.self) == [1, 2, 3])
        #expect(try read(several).elements(as: Float.self) == [1, 2, 3])
        let doubles = Onnx.tensor(type: 11, [2], .double(10, 1.5), .double(10, -2))
        #expect(try read(doubles).elements(as: Double.self) == [1.5, -2])
        let pairs = Onnx.tensor(type: 14, [1], .packed(4, [1, 2] as [Float]))
        #expect(try read(pairs).withBytes { $0.count } == 8)
    }

    @Test("types narrower than a byte take one number for each byte")
    func narrow() throws {
        #expect(
            try read(Onnx.tensor(type: 22, [3], .packed(5, [0x21, 0x0f]))).withBytes { Array($0) } == [
                0x21, 0x0f,
            ])
        #expect(
            try read(Onnx.tensor(type: 26, [5], .packed(5, [0xe4, 1]))).withBytes { Array($0) } == [0xe4, 1])
    }

    @Test("floats of six bits are four in three bytes, or one number each", arguments: [27, 28])
    func sixBits(type: Int) throws {
        let codes: [UInt8] = [0x21, 0x3f, 0x0a, 0x35, 0x11]
        let packed: [UInt8] = [0xe1, 0xaf, 0xd4, 0x11]
        let read = [
            try read(Onnx.tensor(type: type, [5], .bytes(9, packed))),
            try read(Onnx.tensor(type: type, [5], .packed(5, codes.map { Int($0) }))),
        ]
        for tensor in read {
            #expect(tensor.withBytes { Array($0) } == codes)
            #expect(tensor.packedForFile.withBytes { Array($0) } == packed)
        }
    }

    @Test("strings need not be UTF-8; scalars have no extents; empty tensors need no data")
    func shapes() throws {
        let strings = try read(Onnx.tensor(type: 8, [2], .bytes(6, [0xff, 0]), .text(6, "b")))
        #expect(strings.strings == [ByteString([0xff, 0]), ByteString("b")])
        #expect(try read(Onnx.tensor(type: 1, [], .float(4, 7))).extents == [])
        #expect(try read(Onnx.tensor(type: 1, [0, 5])).extents == [0, 5])
    }

    @Test("booleans other than 0 and 1 become 1")
    func booleans() throws {
        #expect(
            try read(Onnx.tensor(type: 9, [3], .bytes(9, [0, 2, 255]))).withBytes { Array($0) } == [0, 1, 1])
    }

    @Test("what doesn't fit is refused with the numbers")
    func refusals() {
        #expect(
            refusal(Onnx.tensor(type: 1, [3], .bytes(9, [0, 0]))) == "has 2 bytes of raw_data, expected 12")
        #expect(refusal(Onnx.tensor(type: 1, [3])) == "has no data, expected 12 bytes")
        #expect(
            refusal(Onnx.tensor(type: 7, [3], .packed(7, [1]))) == "has 1 numbers in int64_data, expected 3")
        #expect(
            refusal(Onnx.tensor(type: 7, [1], .float(4, 1)))
                == "is int64, but has data in float_data, expected int64_data")
        #expect(
            refusal(Onnx.tensor(type: 1, [1], .float(4, 1), .bytes(9, [0, 0, 0, 0])))
                == "has data in float_data and in raw_data")
        #expect(
            refusal(Onnx.tensor(type: 3, [1], .packed(5, [300])))
                == "has a number in int32_data that doesn't fit int8")
        #expect(refusal(Onnx.tensor(type: 1, [-1])) == "has extent -1")
        #expect(refusal(Onnx.tensor(type: 1, [1 << 62, 4])).hasSuffix("hold more than can be counted"))
        #expect(refusal(Onnx.tensor(type: 99, [1])) == "has element type 99, which is not defined")
        #expect(refusal(Onnx.tensor(type: 27, [5], .bytes(9, [0]))) == "has 1 bytes of raw_data, expected 4")
        #expect(
            refusal(Onnx.tensor(type: 28, [1], .packed(5, [64])))
                == "has a number in int32_data that doesn't fit float6e3m2")
        #expect(refusal(Onnx.tensor(type: 8, [1], .bytes(9, [0]))) == "holds numbers, but is string")
        #expect(refusal(Onnx.tensor(type: 8, [2], .text(6, "a"))) == "has 1 strings, expected 2")
    }

    @Test("a sparse tensor is written out, by rows or by linear positions")
    func sparse() throws {
        let values: Proto = .message(1, [Onnx.tensor("s", type: 1, [2], .packed(4, [5, 7] as [Float]))])
        let linear: Proto = .message(2, [Onnx.tensor("", type: 7, [2], .packed(7, [1, 5]))])
        let rows: Proto = .message(2, [Onnx.tensor("", type: 7, [2, 2], .packed(7, [0, 1, 1, 2]))])
        for indices in [linear, rows] {
            let graph = [Proto.message(15, values, indices, .int(3, 2), .int(3, 3))]
            let found = try readOnnx(bytes: Onnx.model(graph), named: "m").graph.initialisers[0]
            #expect(found.name == "s" && found.tensor.elements(as: Float.self) == [0, 5, 0, 0, 0, 7])
        }
        let falling: Proto = .message(2, [Onnx.tensor("", type: 7, [2], .packed(7, [5, 1]))])
        let outside: Proto = .message(2, [Onnx.tensor("", type: 7, [2], .packed(7, [5, 6]))])
        #expect(
            outcome(Onnx.model([.message(15, values, falling, .int(3, 6))])).hasSuffix("indices don't rise"))
        #expect(
            outcome(Onnx.model([.message(15, values, outside, .int(3, 6))])).hasSuffix(
                "an index lies outside"))
        #expect(
            outcome(Onnx.model([.message(15, values, linear, .int(3, 1 << 40))])).contains("with their zeros")
        )
    }
}
