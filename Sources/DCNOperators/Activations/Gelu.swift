internal import CKernels
package import DCNGraph

/// y = x Φ(x), Φ being the normal distribution function, or its approximation by tanh:
///
///     x (1 + erf(x / √2)) / 2        x (1 + tanh(√(2/π) (x + 0.044715 x³))) / 2
///
/// 0 at −∞; NaN stays.
package struct Gelu: UnaryMap {
    package static let name = "Gelu"
    package static let since = 20
    /// Whether Φ is approximated by tanh.
    package var isApproximate: Bool
    package init(isApproximate: Bool = false) { self.isApproximate = isApproximate }
    package var vectorMap: VectorMap? { VectorMap(isApproximate ? DCN_UNARY_GELU_TANH : DCN_UNARY_GELU) }
    package var attributes: [(name: String, value: SourceAttribute)] {
        [("approximate", .string(ByteString(isApproximate ? "tanh" : "none")))]
    }
    package func value(_ x: Double) -> Double {
        if x == -.infinity { return 0 }
        let inner = 0.797_884_560_802_865_4 * (x + 0.044715 * x * x * x)
        return x / 2 * (1 + (isApproximate ? hyperbolicTangent(inner) : errorFunction(x * 0.5.squareRoot())))
    }
}

/// y = Gelu(x + bias), bias being repeated along all axes but the last. 0 at −∞; NaN stays.
package struct BiasGelu: Operator {
    package static let name = "BiasGelu"
    /// Which form of Gelu.
    package var gelu: Gelu
    package init(_ gelu: Gelu = Gelu()) { self.gelu = gelu }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        let bias = try inputs.required(1, "bias", rank: 1)
        try x.expect(.floats)
        try bias.expectSameElement(as: x)
        if let rank = x.rank {
            guard rank > 0 else { throw .rank(of: "input", expected: "at least 1", got: 0) }
            try bias.expect(x.dimension(rank - 1), along: 0, because: "the last axis of input")
        }
        return [.tensor(x.type.with(layout: .rowMajor))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let x = try call.input(0)
        let output = try call.output(0)
        let walk = try Broadcast([x, try call.input(1)], output: output, cost: 4).walk(a: 0, b: 1)
        let shared = sharedBytes([x], output)
        switch x.element {
        case .float32:
            guard let run = try kernelTable(call.instructionSet).add_activate_f32, let map = gelu.vectorMap
            else {
                throw noKernel(Self.name, for: x.element)
            }
            return .kernel(
                TileKernel(tiles: walk.tiles, inPlace: shared) { tile, frame in
                    walk.forEach(in: tile) { shape, offset in
                        var shape = shape
                        run(
                            map.map, map.alpha, map.beta, &shape, frame.input(0, as: Float.self) + offset[0],
                            frame.input(1, as: Float.self) + offset[1],
                            frame.output(0, as: Float.self) + offset[3])
                    }
                })
        case .float64:
            let gelu = gelu
            return .kernel(pairKernel(walk, shared) { (x: Double, bias: Double) in gelu.value(x + bias) })
        default: throw noKernel(Self.name, for: x.element)
        }
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(gelu.isApproximate ? "FastGelu" : "BiasGelu", domain: "com.microsoft")
    }
}
