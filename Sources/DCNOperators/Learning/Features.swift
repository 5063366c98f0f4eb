package import DCNGraph

/// The elements of the last axis that a list of indices names.
package struct ArrayFeatureExtractor: Operator {
    package static let name = "ArrayFeatureExtractor"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        let indices = try inputs.required(1, "Y")
        try indices.expect([.int64])
        guard !x.element.isPacked else {
            throw .element(of: "X", expected: "elements of whole bytes", got: x.element)
        }
        guard let shape = x.shape else { return [.tensor(TensorType(x.element, nil))] }
        guard shape.rank > 0 else { throw .rank(of: "X", expected: "at least 1", got: 0) }
        let count = indices.type.elementCount.map(Dimension.fixed) ?? .unknown
        let leading = shape.rank == 1 ? [1] : Array(shape.dimensions.dropLast())
        return [.tensor(TensorType(x.element, Shape(leading + [count])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        if call.needsSurrogates { return .routine(SurrogateRoutine(op: self, outputs: call.outputs)) }
        let extents = try call.extents(0)
        let output = try call.outputExtents(0)
        let (width, last, picked) = (
            try call.input(0).element.byteWidth, extents[extents.count - 1], output[output.count - 1]
        )
        let rows = output.dropLast().reduce(1, *)
        return .kernel(
            TileKernel(
                tiles: 1,
                check: { frame in
                    let indices = UnsafeBufferPointer(start: frame.input(1, as: Int64.self), count: picked)
                    guard let bad = indices.first(where: { $0 < 0 || $0 >= last }) else { return nil }
                    return .value(of: "Y", because: "holds \(bad), expected 0 … \(last - 1)")
                }
            ) { _, frame in
                let indices = frame.input(1, as: Int64.self)
                let (x, y) = (frame.input(0, as: UInt8.self), frame.output(0, as: UInt8.self))
                for row in 0..<rows {
                    for column in 0..<picked {
                        (y + (row * picked + column) * width).update(
                            from: x + (row * last + Int(indices[column])) * width, count: width)
                    }
                }
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, domain: "ai.onnx.ml", since: 1)
    }
}

/// y = 1 for x > threshold, else 0, of NaN too.
package struct Binarizer: UnaryMap {
    package static let name = "Binarizer"
    package static let elements: [ElementType] = [.float32, .float64, .int32, .int64]
    package static let cost = 1
    package var threshold: Float
    package init(threshold: Float = 0) { self.threshold = threshold }
    package func value(_ x: Double) -> Double { x > Double(threshold) ? 1 : 0 }
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { Double(x) > Double(threshold) ? 1 : 0 }
    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, [("threshold", .float(threshold))], domain: "ai.onnx.ml", since: 1)
    }
}

/// Each element looked up among keys; what is not there becomes the default.
///
/// Operands: x, keys, values (as many), and the default of one element. Of equal keys the last counts, and NaN equals NaN.
package struct LabelEncoder: Operator {
    package static let name = "LabelEncoder"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "X")
        let keys = try inputs.required(1, "keys")
        let values = try inputs.required(2, "values")
        try keys.expectSameElement(as: x)
        try inputs.required(3, "default").expectSameElement(as: values)
        if let count = keys.type.elementCount, let other = values.type.elementCount, count != other {
            throw .value(of: "values", because: "has \(other) elements, expected \(count) as there are keys")
        }
        for operand in [x, values] { try operand.expect(.numbers + [.string, .bool]) }
        return [.tensor(TensorType(values.element, x.type.shape))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (inputs, scope) throws(Misfit) in
                let tensors = inputs.compactMap { $0?.tensor?.aligned() }
                guard tensors.count == 4 else { throw .missing("an operand") }
                var places: [[UInt8]: Int] = [:]
                for (place, key) in elementBytes(tensors[1]).enumerated() { places[key] = place }
                let values = elementBytes(tensors[2])
                guard let fallback = elementBytes(tensors[3]).first else { throw .missing("default") }
                let found = elementBytes(tensors[0]).map { key in places[key].map { values[$0] } ?? fallback }
                if tensors[2].type.element == .string {
                    return [
                        Tensor(extents: tensors[0].extents, strings: found.map { ByteString($0) }).map(
                            Datum.tensor)
                    ]
                }
                let type = TensorType(tensors[2].type.element, extents: tensors[0].extents)
                return [Tensor(type, bytesOf: found.flatMap { $0 }).map(Datum.tensor)]
            })
    }
}

/// The bytes of each element; all NaN and both zeros look the same.
private func elementBytes(_ tensor: Tensor) -> [[UInt8]] {
    if tensor.type.element == .string { return tensor.strings.map(\.bytes) }
    let width = tensor.type.element.byteWidth
    func bytes(_ value: some BitwiseCopyable) -> [UInt8] { withUnsafeBytes(of: value) { Array($0) } }
    switch tensor.type.element {
    case .float32:
        return tensor.elements(as: Float.self).map { bytes($0.isNaN ? Float.nan : $0 == 0 ? 0 : $0) }
    case .float64:
        return tensor.elements(as: Double.self).map { bytes($0.isNaN ? Double.nan : $0 == 0 ? 0 : $0) }
    default:
        return tensor.withBytes { all in
            (0..<tensor.count).map { Array(all[$0 * width..<($0 + 1) * width]) }
        }
    }
}
