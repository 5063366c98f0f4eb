import DCNFormats
import DCNGraph
import DCNOperators
import Testing

/// What a model says of itself before its nodes are looked at.
@Suite("Declarations of models")
struct OperatorSetTests {
    private func relu(_ inputs: [String], initialisers: [(name: String, tensor: Tensor)] = []) -> SourceModel
    {
        var graph = SourceGraph(name: "g")
        graph.inputs = [SourceValue(name: "x", type: .tensor(TensorType(.float32, extents: [2])))]
        graph.initialisers = initialisers
        graph.nodes = [SourceNode(opType: "Relu", version: 19, inputs: inputs, outputs: ["y"])]
        graph.outputs = [SourceValue(name: "y", type: nil)]
        return SourceModel(file: "m.onnx", irVersion: 9, opsets: ["": 19], graph: graph)
    }

    private func refusal(_ model: SourceModel) throws -> String {
        let error = #expect(throws: DCNError.self) { try map(model, dialects: Catalogue.dialects) }
        #expect(error?.kind == .model)
        return "\(try #require(error))"
    }

    @Test func moreOperandsThanAnOperatorTakesAreRefused() throws {
        _ = try map(relu(["x"]), dialects: Catalogue.dialects)
        #expect(try refusal(relu(["x", "x", "x"])).contains("has 3 inputs, expected at most 1"))
    }

    @Test func anInitialiserThatIsThereTwiceIsRefused() throws {
        let w = Tensor(vector: [Float(1)])
        _ = try map(relu(["x"], initialisers: [("w", w)]), dialects: Catalogue.dialects)
        #expect(
            try refusal(relu(["x"], initialisers: [("w", w), ("w", w)])).contains("'w' is there twice"))
    }

    /// A model of one node whose default operator set has this version.
    private func bytes(version: UInt64) -> [UInt8] {
        func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
            [number << 3 | 2, UInt8(content.count)] + content
        }
        var rest = version
        var digits: [UInt8] = []
        repeat {
            digits.append(UInt8(rest & 127) | (rest > 127 ? 128 : 0))
            rest >>= 7
        } while rest > 0
        let value = { (name: UInt8) in
            field(1, [name]) + field(2, field(1, [8, 1] + field(2, field(1, [8, 2]))))
        }
        let node = field(1, [0x78]) + field(2, [0x79]) + field(4, Array("Relu".utf8))
        let graph =
            field(1, node) + field(2, [0x67]) + [0x5a] + field(1, value(0x78)).dropFirst()
            + [0x62] + field(1, value(0x79)).dropFirst()
        return [8, 9] + field(7, graph) + field(8, [0x10] + digits)
    }

    @Test(arguments: [0, 1 << 40, UInt64(Int64.max), .max])
    func aVersionThatIsNoneIsRefused(_ version: UInt64) throws {
        _ = try readOnnx(bytes: bytes(version: 19), named: "m.onnx")
        let error = #expect(throws: DCNError.self) {
            try readOnnx(bytes: bytes(version: version), named: "m.onnx")
        }
        #expect("\(try #require(error))".contains("expected 1 … 65536"))
    }
}
