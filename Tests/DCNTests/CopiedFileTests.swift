import DCN
import DCNFormats
import DCNGraph
import TestSupport
import Testing

#if canImport(Glibc)
    import Glibc
#elseif canImport(Darwin)
    import Darwin
#endif

/// A file that others shorten in place ends whoever has mapped it; copied, it is nobody's but ours.
@Suite struct CopiedFileTests {
    @Test(arguments: ["first/deform-conv-22", "first/conv-norm-relu"])
    func aCopiedFileMayBeShortened(name: String) throws {
        let folder = try TemporaryFolder()
        let compiled = folder.path + "/model.dcn"
        let onnx = folder.path + "/model.onnx"
        try writeCompiled(LoadedModel(contentsOf: Fixture(name).model).compiled, to: compiled)
        try writeFile(contents(Fixture(name).model), to: onnx)
        for path in [compiled, onnx] {
            var options = LoadOptions()
            options.mapping = .copied
            let model = try Model(contentsOf: path, options: options)
            let expected = try answer(model)
            #expect(truncate(path, 0) == 0)
            #expect(try answer(model) == expected)
        }
    }

    @Test func memoryIsLimitedWhileLoading() throws {
        var options = LoadOptions()
        options.memoryLimit = 100
        let error = #expect(throws: DCNError.self) {
            try Model(contentsOf: Fixture("first/conv-norm-relu").model, options: options)
        }
        #expect(error?.kind == .model)
        #expect("\(try #require(error))".contains("100"))
    }

    @Test func valuesAreLimitedWhileLoading() throws {
        let folder = try TemporaryFolder()
        let compiled = folder.path + "/model.dcn"
        let onnx = Fixture("first/conv-norm-relu").model
        try writeCompiled(LoadedModel(contentsOf: onnx).compiled, to: compiled)
        var options = LoadOptions()
        options.limits.values.rank = 3
        for path in [compiled, onnx] {
            let error = #expect(throws: DCNError.self) { try Model(contentsOf: path, options: options) }
            #expect(error?.kind == .model)
            #expect("\(try #require(error))".contains("is 4, the limit is 3"))
        }
    }

    /// The bytes of all outputs for zeros.
    private func answer(_ model: Model) throws -> [[UInt8]] {
        var session = try Session(model)
        var inputs: [String: Tensor] = [:]
        for (name, type) in model.inputs {
            let type = try #require(type.tensor)
            let extents = try #require(type.shape).dimensions.map { $0.fixed ?? 1 }
            let count = try #require(TensorType(type.element, extents: extents).byteCount)
            inputs[name] = Tensor(
                TensorType(type.element, extents: extents), bytesOf: [UInt8](repeating: 0, count: count))
        }
        let outputs: [String: Tensor] = try session.run(inputs)
        return outputs.sorted { $0.key < $1.key }.map { $0.value.withBytes { Array($0) } }
    }

    private func writeFile(_ bytes: [UInt8], to path: String) throws {
        let file = try NewFile(replacing: path)
        try file.write(bytes)
        try file.finish()
    }
}
