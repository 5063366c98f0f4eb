package import DCN

/// All elements as float64, both parts of complex ones one after the other; row-major tensors only.
package func numbers(_ tensor: Tensor) -> [Double] {
    let element = tensor.type.element
    if element == .string { return [] }
    if let integers = tensor.integers { return integers.map(Double.init) }
    return tensor.withBytes { bytes in
        switch element {
        case .float32, .complex64:
            (0..<bytes.count / 4).map { Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)) }
        case .float64, .complex128:
            (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: 8 * $0, as: Double.self) }
        default: narrowNumbers(tensor)
        }
    }
}
