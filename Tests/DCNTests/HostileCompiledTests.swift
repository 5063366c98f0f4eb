import CKernels
import DCN
import DCNFormats
import DCNGraph
import TestSupport
import Testing

/// Changed bytes of compiled graphs end in an error or an answer.
@Suite struct HostileCompiledTests {
    private static let fixtures = [
        "first/deform-conv-22", "first/conv-norm-relu", "spellings/mmcv-v2", "spellings/nms-11",
    ]

    /// The bytes of a fixture's compiled graph.
    private func compiled(_ name: String) throws -> [UInt8] {
        let folder = try TemporaryFolder()
        let model = try LoadedModel(contentsOf: Fixture(name).model)
        try writeCompiled(model.compiled, to: folder.path + "/model.dcn")
        return try contents(folder.path + "/model.dcn")
    }

    /// What is wrong with a file; nil where it is read.
    private func refusal(_ bytes: [UInt8]) -> String? {
        do throws(DCNError) {
            _ = try readCompiled(bytes: bytes, named: "model.dcn")
            return nil
        } catch {
            #expect(error.kind == .model || error.kind == .unsupported)
            return error.description
        }
    }

    @Test(arguments: fixtures) func everyTruncationIsNamed(name: String) throws {
        let whole = try compiled(name)
        #expect(refusal(whole) == nil)
        for count in 4..<whole.count {
            #expect(refusal(Array(whole[..<count]))?.contains("is truncated") == true, "\(count) bytes")
        }
        for count in 0..<4 { #expect(refusal(Array(whole[..<count])) != nil) }
        #expect(refusal(whole + [0])?.contains("expected \(whole.count)") == true)
    }

    @Test(arguments: fixtures) func everyFlipIsNoticed(name: String) throws {
        let whole = try compiled(name)
        for place in whole.indices {
            var bytes = whole
            bytes[place] ^= UInt8(1 << (place % 8))
            #expect(refusal(bytes) != nil, "byte \(place)")
        }
    }

    @Test func otherVersionsAndByteOrdersAreNamed() throws {
        let whole = try compiled("first/conv-norm-relu")
        var newer = whole
        newer[12] += 1
        #expect(refusal(newer)?.contains("format version 3, newer than 2") == true)
        var older = whole
        older[12] = 1
        #expect(refusal(older)?.contains("format version 1, expected 2") == true)
        var swapped = whole
        swapped.replaceSubrange(8..<12, with: whole[8..<12].reversed())
        #expect(refusal(swapped)?.contains("other byte order") == true)
        var text = whole
        text[4] = 0x0a
        #expect(refusal(text)?.contains("transfer as text") == true)
    }

    /// The file with the checksums that its header now has.
    private func sealed(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        func number(_ place: Int) -> Int { (0..<8).reduce(0) { $0 | Int(bytes[place + $1]) << (8 * $1) } }
        func store(_ sum: UInt64, _ place: Int) {
            withUnsafeBytes(of: sum) { raw in bytes.replaceSubrange(place..<place + 8, with: raw) }
        }
        let header = Array(bytes[64..<64 + number(16)])
        store(dcn_checksum(header, header.count), 32)
        store(dcn_checksum(Array(bytes[..<40]), 40), 40)
        return bytes
    }

    @Test(arguments: fixtures) func wrongHeadersWithRightChecksumsEndInAnAnswerOrAnError(name: String) throws
    {
        let whole = try compiled(name)
        let end = 64 + Int(whole[16]) + Int(whole[17]) << 8
        var read = 0
        for place in 64..<end {
            for bit in [0, 3, 7] {
                var bytes = whole
                bytes[place] ^= UInt8(1 << bit)
                let file = sealed(bytes)
                guard refusal(file) == nil else { continue }
                read += 1
                try answer(try readCompiled(bytes: file, named: "model.dcn").graph)
            }
        }
        #expect(read > 0)
    }

    /// Runs a graph on zeros; errors are answers too, crashes are not.
    private func answer(_ graph: Graph) throws {
        let model = Model(graph: graph)
        var session = try Session(model, options: Options(memoryLimit: 1 << 26))
        var inputs: [String: Tensor] = [:]
        for (name, type) in model.inputs {
            guard let type = type.tensor, let extents = type.shape?.dimensions.map({ $0.fixed ?? 1 }),
                let count = TensorType(type.element, extents: extents).byteCount, count < 1 << 20
            else { return }
            inputs[name] = Tensor(
                TensorType(type.element, extents: extents), bytesOf: [UInt8](repeating: 0, count: count))
        }
        do throws(DCNError) { _ = try session.run(inputs) as [String: Tensor] } catch {
            #expect(error.kind != .defect, "\(error)")
        }
    }
}
