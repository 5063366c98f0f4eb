import DCNFormats
import Testing

@Suite("Walk over the wire")
struct WireWalkTests {
    func fault(_ bytes: [UInt8], limits: ReadingLimits = .init()) -> WireFault? {
        do {
            _ = try bytes.withUnsafeBytes { buffer in
                try WireWalk.skeleton(ofModel: buffer, limits: limits)
            }
            return nil
        } catch {
            return error as? WireFault
        }
    }

    func skeleton(_ bytes: [UInt8]) throws -> [UInt8] {
        try bytes.withUnsafeBytes { try WireWalk.skeleton(ofModel: $0).bytes }
    }

    /// A model of graphs nested in attributes, `levels` of them, each three messages deep.
    func nested(_ levels: Int) -> [UInt8] {
        var graph = Proto()
        for _ in 0..<levels {
            graph = .message(1, .message(5, .text(1, "body"), .message(6, graph), .int(20, 5)))
        }
        return Onnx.model([graph])
    }

    @Test("numbers of tensors and unknown fields stay out of the skeleton, all else comes through")
    func skeletonContent() throws {
        let raw = [UInt8](repeating: 0xab, count: 1000)
        let floats = [Float](repeating: 1, count: 250)
        let tensor = Onnx.tensor(type: 1, [250], .packed(4, floats), .text(12, "doc"))
        let model = Onnx.model([
            .bytes(5, Onnx.tensor("v", type: 2, [1000], .bytes(9, raw)).bytes), .bytes(5, tensor.bytes),
            .text(2, "g"), .bytes(77, raw), Onnx.node("Relu", ["x"], ["y"]),
        ])
        let skeleton = try skeleton(model)
        #expect(model.count > 3000 && skeleton.count < 200)
        for text in ["Relu", "doc", "v", "w"] {
            #expect(skeleton.indices.contains { skeleton[$0...].starts(with: text.utf8) })
        }
    }

    @Test("nesting is refused above the limit and only there")
    func nesting() {
        var limits = ReadingLimits()
        limits.nesting = 2 + 3 * 10
        #expect(fault(nested(10), limits: limits) == nil)
        guard case .nesting(limit: 32, at: _) = fault(nested(11), limits: limits) else {
            Issue.record("nesting was accepted")
            return
        }
    }

    @Test("a hundred thousand levels end in an error, not on the stack")
    func deepNesting() {
        // Lengths written from the inside out would cost quadratic time: all levels claim the rest of the file.
        var bytes = Proto.key(7, 2) + Proto.varint(1 << 30)
        for _ in 0..<100_000 { bytes += Proto.key(1, 2) + Proto.varint(2) }
        #expect(fault(bytes) != nil)
        #expect(fault(nested(400)) != nil)
    }

    @Test("a node more than the limit is refused")
    func nodes() {
        var limits = ReadingLimits()
        limits.nodes = 5
        let nodes = (0..<5).map { Onnx.node("N\($0)") }
        #expect(fault(Onnx.model(nodes), limits: limits) == nil)
        #expect(fault(Onnx.model(nodes + nodes), limits: limits) == .nodes(limit: 5))
    }

    @Test("a flood of empty messages is refused by what it would take, before it takes it")
    func flood() {
        let flood = Proto(raw: (0..<700_000).flatMap { _ in Proto.key(11, 2) + [0] })
        var limits = ReadingLimits()
        limits.unpackedByteCount = 64 << 20
        guard case .memory = fault(Onnx.model([flood]), limits: limits) else {
            Issue.record("the flood was accepted")
            return
        }
    }

    @Test(
        "what is no message is refused",
        arguments: [
            [0xff], [0x00, 0x00], [0x03], [0x3a, 0x05, 0x0a], [0x08] + [UInt8](repeating: 0xff, count: 11),
            [0x08] + [UInt8](repeating: 0x80, count: 10) + [0], [0x0a, 0x01, 0x00],
            [0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
            Proto.message(7, .message(5, .bytes(7, [0x80]))).bytes,
            Proto.message(7, .message(5, .bytes(4, [1, 2, 3]))).bytes,
            Proto.message(7, .int(1, 5)).bytes,
        ] as [[UInt8]])
    func malformed(bytes: [UInt8]) {
        #expect(fault(bytes) != nil)
    }

    @Test("an inner message that is longer than the outer one is refused")
    func innerBeyondOuter() {
        let inner = Proto.key(1, 2) + [5]
        #expect(fault(Proto.key(7, 2) + [2] + inner + [8, 8, 8, 8, 8]) != nil)
    }
}
