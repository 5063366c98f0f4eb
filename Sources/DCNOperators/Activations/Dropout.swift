package import DCNGraph

/// While training, zeros with probability `ratio` and everything else scaled by 1 / (1 − ratio); else x itself.
///
/// The second output says what was kept. What is dropped is 0 whatever it was.
package struct Dropout: Operator {
    package static let name = "Dropout"
    /// What the random numbers begin with; nil takes another one each time.
    package var seed: Int?
    /// The element type of the mask: bool, but in the oldest form that of x.
    package var mask: ElementType?
    package init(seed: Int? = nil, mask: ElementType? = nil) {
        self.seed = seed
        self.mask = mask
    }

    package var isPure: Bool { seed != nil }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "data")
        try x.expect(.floats + .eightBitFloats)
        if let ratio = try inputs.optional(1, "ratio") { try ratio.expect(.floats + .eightBitFloats) }
        if let training = try inputs.optional(2, "training_mode") { try training.expect([.bool]) }
        return [.tensor(x.type), .tensor(TensorType(mask ?? .bool, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if call.has(1) || call.has(2), !ElementType.isWide(try call.input(0).element) {
            throw noKernel(Self.name, for: try call.input(0).element)
        }
        return .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                guard let x = values.first??.tensor else { throw .missing("data") }
                let ratio = values.count > 1 ? values[1]?.tensor.flatMap(firstNumber) ?? 0.5 : 0.5
                let isTraining = values.count > 2 && values[2]?.tensor?.integers?.first ?? 0 != 0
                guard isTraining, ratio != 0 else { return [.tensor(x), .tensor(try fullMask(x, scope))] }
                guard ratio > 0, ratio < 1 else {
                    throw .value(of: "ratio", because: "is \(ratio), expected at least 0 and below 1")
                }
                return try drop(x, ratio, scope)
            })
    }

    private func fullMask(_ x: Tensor, _ scope: any Scope) throws(Misfit) -> Tensor {
        let type = TensorType(mask ?? .bool, extents: x.extents)
        let output = try scope.allocate(type)
        guard let one = scalarTensor(1, type.element) else { throw noKernel(Self.name, for: type.element) }
        let width = type.element.byteWidth
        let bytes = output.elements(as: UInt8.self)
        one.withBytes { one in
            for index in 0..<x.count { for byte in 0..<width { bytes[index * width + byte] = one[byte] } }
        }
        return output.finished
    }

    private func drop(_ x: Tensor, _ ratio: Double, _ scope: any Scope) throws(Misfit) -> [Datum?] {
        var random = MersenneTwister(seed: seed)
        let y = try scope.allocate(x.type)
        let kept = try scope.allocate(TensorType(.bool, extents: x.extents))
        let flags = kept.elements(as: UInt8.self)
        for index in flags.indices { flags[index] = random.nextUnit() >= ratio ? 1 : 0 }
        let scale = 1 / (1 - ratio)
        if x.type.element == .float64 {
            let (source, target) = (x.elements(as: Double.self), y.elements(as: Double.self))
            for index in source.indices { target[index] = flags[index] != 0 ? source[index] * scale : 0 }
        } else {
            let (source, target) = (x.elements(as: Float.self), y.elements(as: Float.self))
            for index in source.indices {
                target[index] = flags[index] != 0 ? source[index] * Float(scale) : 0
            }
        }
        return [.tensor(y.finished), .tensor(kept.finished)]
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, seed.map { [("seed", .int($0))] } ?? [], since: 12)
    }
}

extension ElementType {
    /// Whether this is a float that Swift computes with.
    static func isWide(_ element: ElementType) -> Bool { element == .float32 || element == .float64 }
}

/// The first element of a tensor of real numbers.
func firstNumber(_ tensor: Tensor) -> Double? {
    guard tensor.count > 0 else { return nil }
    switch tensor.type.element {
    case .float32: return tensor.elements(as: Float.self).first.map { Double($0) }
    case .float64: return tensor.elements(as: Double.self).first
    default: break
    }
    guard let format = NarrowFloat(tensor.type.element), !tensor.type.element.isPacked else {
        return tensor.integers?.first.map { Double($0) }
    }
    let bytes = tensor.withBytes { Array($0.prefix(2)) }
    let high = tensor.type.element.byteWidth == 2 ? UInt32(bytes[1]) << 8 : 0
    return format.decoded(UInt32(bytes[0]) | high)
}
