package import DCNGraph

/// A rank-0 tensor of a number in an element type of whole bytes; nil for types that hold no real numbers.
package func scalarTensor(_ value: Double, _ element: ElementType) -> Tensor? {
    filledTensor([value], element, extents: [])
}

/// A tensor of numbers in an element type of whole bytes; nil for types that hold no real numbers.
package func filledTensor(_ values: [Double], _ element: ElementType, extents: [Int]) -> Tensor? {
    let type = TensorType(element, extents: extents)
    switch element {
    case .float32: return Tensor(type, bytesOf: values.map { Float($0) })
    case .float64: return Tensor(type, bytesOf: values)
    case .bool: return Tensor(type, bytesOf: values.map { $0 == 0 ? 0 : 1 as UInt8 })
    default: break
    }
    if let format = NarrowFloat(element), !element.isPacked {
        let codes = values.map { format.encoded($0, saturate: false) }
        if element.byteWidth == 1 {
            return Tensor(type, bytesOf: codes.map { UInt8(truncatingIfNeeded: $0) })
        }
        return Tensor(type, bytesOf: codes.map { UInt16(truncatingIfNeeded: $0) })
    }
    return withInteger(element, FilledBody(type: type, values: values)) ?? nil
}

private struct FilledBody: IntegerBody {
    let type: TensorType
    let values: [Double]
    func run<T: FixedWidthInteger & Element>(_ swiftType: T.Type) -> Tensor? {
        Tensor(type, bytesOf: values.map { clampedInteger($0) as T })
    }
}
