package import DCNGraph

/// The indices of all elements that are not zero, [rank, count] in row-major order, int64. NaN is not zero, −0 is.
package struct NonZero: Operator {
    package static let name = "NonZero"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let data = try inputs.required(0, "X")
        guard !data.element.isPacked else {
            throw .element(of: "X", expected: "elements of whole bytes", got: data.element)
        }
        return [.tensor(TensorType(.int64, Shape([data.rank.map(Dimension.fixed) ?? .unknown, .unknown])))]
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        .routine(
            ValueRoutine { (values, scope) throws(Misfit) in
                guard let tensor = values[0]?.tensor else { throw .missing("X") }
                let places = try nonZeros(tensor)
                let strides = rowMajorStrides(tensor.extents)
                let output = try scope.allocate(TensorType(.int64, extents: [strides.count, places.count]))
                let elements = output.elements(as: Int64.self)
                for (axis, extent) in tensor.extents.enumerated() {
                    for (index, place) in places.enumerated() {
                        elements[axis * places.count + index] = Int64(place / strides[axis] % extent)
                    }
                }
                return [.tensor(output.finished)]
            })
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode("NonZero", since: 9)
    }
}

/// Positions of elements that are not zero; an empty string counts as zero.
private func nonZeros(_ tensor: Tensor) throws(Misfit) -> [Int] {
    switch tensor.type.element {
    case .string: return tensor.strings.indices.filter { !tensor.strings[$0].bytes.isEmpty }
    case .float16, .bfloat16: return nonZeros(tensor, UInt16.self) { $0 << 1 != 0 }
    case .float32: return nonZeros(tensor, Float.self) { $0 != 0 }
    case .float64: return nonZeros(tensor, Double.self) { $0 != 0 }
    case .complex64: return nonZeros(tensor, UInt64.self) { $0 & 0x7fff_ffff_7fff_ffff != 0 }
    case .complex128: return nonZeros(tensor, Wide.self) { ($0.low | $0.high) << 1 != 0 }
    case .bool, .uint8, .int8: return nonZeros(tensor, UInt8.self) { $0 != 0 }
    case .uint16, .int16: return nonZeros(tensor, UInt16.self) { $0 != 0 }
    case .uint32, .int32: return nonZeros(tensor, UInt32.self) { $0 != 0 }
    case .uint64, .int64: return nonZeros(tensor, UInt64.self) { $0 != 0 }
    case let element: throw .unsupported("NonZero of \(element)")
    }
}

private func nonZeros<T: BitwiseCopyable>(_ tensor: Tensor, _ type: T.Type, _ test: (T) -> Bool) -> [Int] {
    tensor.aligned().withBytes { bytes in
        let elements = bytes.bindMemory(to: type)
        return elements.indices.filter { test(elements[$0]) }
    }
}
