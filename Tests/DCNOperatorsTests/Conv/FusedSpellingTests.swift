import DCNGraph
import DCNOperators
import TestSupport
import Testing

/// What onnxruntime's fused operators mean in types that the fast kernels do not have.
@Suite("Fused operators in double precision")
struct FusedSpellingTests {
    private func meaning(
        _ name: String, _ attributes: [String: SourceAttribute], inputs: Int
    ) throws -> any Operator {
        let dialect = try #require(Catalogue.dialects.first { $0.domain == "com.microsoft" })
        let node = SourceNode(
            domain: "com.microsoft", opType: name, inputs: (0..<inputs).map { "v\($0)" }, outputs: ["y"],
            attributes: attributes)
        let spelling = try #require(dialect.spellings[name])
        return try spelling(node).op
    }

    private func doubled(_ tensor: Tensor) throws -> Tensor { try run(Cast(to: .float64), [tensor])[0] }

    private func values(_ tensor: Tensor) throws -> [Double] { try doubled(tensor).elements(as: Double.self) }

    static let functions: [(name: String, parameters: [Float])] = [
        ("Relu", []), ("Tanh", []), ("Sigmoid", []), ("LeakyRelu", [0.3]), ("HardSigmoid", [0.1, 0.4]),
        ("Clip", [-0.5, 0.25]), ("", []),
    ]

    @Test("activation and residual of a convolution", arguments: functions.indices)
    func convolution(_ index: Int) throws {
        var seeded = Seeded(3)
        let operands = [[1, 3, 5, 4], [2, 3, 3, 3], [2], [1, 2, 3, 2]].map { seeded.tensor($0) }
        let (name, parameters) = Self.functions[index]
        let attributes: [String: SourceAttribute] = [
            "activation": .string(ByteString(name)), "activation_params": .floats(parameters),
        ]
        let op = try meaning("FusedConv", attributes, inputs: 4)
        let fast = try values(run(op, operands)[0])
        let plain = try values(run(op, operands.map(doubled))[0])
        #expect(zip(fast, plain).allSatisfy { abs($0 - $1) < 1e-5 })
        // Neither is left out.
        let bare = try values(
            run(try meaning("FusedConv", [:], inputs: 3), Array(operands[..<3]).map(doubled))[0])
        #expect(bare != plain)
    }

    @Test("no images give no images", arguments: [ElementType.float32, .float64])
    func empty(_ element: ElementType) throws {
        func tensor(_ extents: [Int]) throws -> Tensor {
            try run(Cast(to: element), [counting(extents)])[0]
        }
        let (x, w) = (try tensor([0, 3, 5, 5]), try tensor([2, 3, 3, 3]))
        #expect(try run(Conv(), [x, w])[0].extents == [0, 2, 3, 3])
        #expect(try run(DeformConv(), [x, w, try tensor([0, 18, 3, 3])])[0].extents == [0, 2, 3, 3])
        #expect(try run(ConvTranspose(), [try tensor([0, 2, 3, 3]), w])[0].extents == [0, 3, 5, 5])
    }

    @Test(
        "activations of a product",
        arguments: ["Relu", "Tanh", "Elu", "Selu", "Softplus", "Softsign", "ThresholdedRelu"])
    func product(_ name: String) throws {
        var seeded = Seeded(4)
        let operands = [[3, 4], [4, 5], [5]].map { seeded.tensor($0, scale: 2) }
        let attributes: [String: SourceAttribute] = [
            "activation": .string(ByteString(name)), "alpha": .float(0.5), "beta": .float(2),
            "activation_alpha": .float(0.75), "activation_gamma": .float(1.5),
        ]
        let op = try meaning("FusedGemm", attributes, inputs: 3)
        let fast = try values(run(op, operands)[0])
        let plain = try values(run(op, operands.map(doubled))[0])
        let sums = try values(
            run(try meaning("FusedGemm", ["alpha": .float(0.5), "beta": .float(2)], inputs: 3), operands)[0])
        func expected(_ x: Double) -> Double {
            switch name {
            case "Relu": max(0, x)
            case "Tanh": Tanh().value(x)
            case "Elu": Elu(alpha: 0.75).value(x)
            case "Selu": Selu(alpha: 0.75, gamma: 1.5).value(x)
            case "Softplus": Softplus().value(x)
            case "Softsign": x / (1 + abs(x))
            default: x > 0.75 ? x : 0
            }
        }
        for (sum, (a, b)) in zip(sums, zip(fast, plain)) {
            #expect(abs(a - expected(sum)) < 1e-5 && abs(b - expected(sum)) < 1e-5)
        }
    }
}
