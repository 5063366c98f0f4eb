internal import DCNGraph

/// The sets of element types that the standard names again and again.
extension [ElementType] {
    /// Floats that arithmetic is defined on.
    static let floats: [ElementType] = [.float32, .float64, .float16, .bfloat16]
    /// Signed integers of whole bytes.
    static let signedIntegers: [ElementType] = [.int8, .int16, .int32, .int64]
    /// Unsigned integers of whole bytes.
    static let unsignedIntegers: [ElementType] = [.uint8, .uint16, .uint32, .uint64]
    /// Integers of whole bytes.
    static let integers = signedIntegers + unsignedIntegers
    /// Floats and integers of whole bytes.
    static let numbers = floats + integers
    /// Floats and signed integers of whole bytes.
    static let signedNumbers = floats + signedIntegers
    /// Floats of eight bits.
    static let eightBitFloats: [ElementType] = [.float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz]
}

/// A body that is generic over the Swift type of an integer element type.
protocol IntegerBody {
    associatedtype Result
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> Result
}

/// Runs `body` with the Swift type of `element`; nil when that is no integer of whole bytes.
@inline(__always)
func withInteger<Body: IntegerBody>(_ element: ElementType, _ body: Body) -> Body.Result? {
    switch element {
    case .int8: body.run(Int8.self)
    case .int16: body.run(Int16.self)
    case .int32: body.run(Int32.self)
    case .int64: body.run(Int64.self)
    case .uint8: body.run(UInt8.self)
    case .uint16: body.run(UInt16.self)
    case .uint32: body.run(UInt32.self)
    case .uint64: body.run(UInt64.self)
    default: nil
    }
}

/// The refusal of an operator that has no kernel for an element type.
func noKernel(_ name: String, for element: ElementType) -> Misfit {
    .unsupported("\(name) on \(element) has no kernel")
}
