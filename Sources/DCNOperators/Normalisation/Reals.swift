internal import DCNGraph

/// Parameters of one of the two native float types, read in double precision.
struct Reals {
    private let base: UnsafeRawPointer
    private let isDouble: Bool

    /// Elements of an input of a frame.
    init(_ frame: Frame, _ index: Int, _ element: ElementType) {
        base = UnsafeRawPointer(frame.input(index, as: UInt8.self))
        isDouble = element == .float64
    }

    /// Element `index`.
    subscript(index: Int) -> Double {
        isDouble
            ? base.load(fromByteOffset: index * 8, as: Double.self)
            : Double(base.load(fromByteOffset: index * 4, as: Float.self))
    }
}

extension Call {
    /// The element types of some inputs, all float32 or float64.
    func realElements(_ indices: [Int], of operation: String) throws(Misfit) -> [ElementType] {
        var elements: [ElementType] = []
        for index in indices {
            let element = try input(index).element
            guard element == .float32 || element == .float64 else {
                throw .unsupported("\(operation) on \(element)")
            }
            elements.append(element)
        }
        return elements
    }
}

extension ElementType {
    /// The floats that arithmetic operators of the standard take.
    static let reals: [ElementType] = [.float16, .float32, .float64, .bfloat16]
}
