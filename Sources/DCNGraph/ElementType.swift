/// What one element of a tensor is. Raw values are the codes of ONNX's `TensorProto.DataType`.
public enum ElementType: Int, Sendable, Hashable, Codable, CaseIterable {
    case float32 = 1
    case uint8 = 2
    case int8 = 3
    case uint16 = 4
    case int16 = 5
    case int32 = 6
    case int64 = 7
    case string = 8
    case bool = 9
    case float16 = 10
    case float64 = 11
    case uint32 = 12
    case uint64 = 13
    case complex64 = 14
    case complex128 = 15
    case bfloat16 = 16
    case float8e4m3fn = 17
    case float8e4m3fnuz = 18
    case float8e5m2 = 19
    case float8e5m2fnuz = 20
    case uint4 = 21
    case int4 = 22
    case float4e2m1 = 23
    case float8e8m0 = 24
    case uint2 = 25
    case int2 = 26
    case float6e2m3 = 27
    case float6e3m2 = 28
}

extension ElementType {
    /// Bits of one element as stored; strings have none. Floats of six bits take a byte each, their code in its low
    /// bits: only files pack four of them into three bytes.
    public var bitWidth: Int {
        switch self {
        case .string: 0
        case .uint2, .int2: 2
        case .uint4, .int4, .float4e2m1: 4
        case .uint8, .int8, .bool, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2, .float8e5m2fnuz, .float8e8m0,
            .float6e2m3, .float6e3m2:
            8
        case .uint16, .int16, .float16, .bfloat16: 16
        case .float32, .int32, .uint32: 32
        case .float64, .int64, .uint64, .complex64: 64
        case .complex128: 128
        }
    }

    /// Bytes of one element; types narrower than a byte are packed and count as one here.
    public var byteWidth: Int { max(1, bitWidth / 8) }

    /// The alignment that typed access needs, in bytes.
    public var alignment: Int { min(8, byteWidth) }

    /// Whether several elements share a byte.
    public var isPacked: Bool { self != .string && bitWidth < 8 }

    /// Whether this is a signed or unsigned integer of any width (bool is none).
    public var isInteger: Bool {
        switch self {
        case .uint8, .int8, .uint16, .int16, .uint32, .int32, .uint64, .int64, .uint4, .int4, .uint2, .int2:
            true
        default: false
        }
    }

    /// Whether integers of this type can be negative.
    public var isSigned: Bool {
        switch self {
        case .int8, .int16, .int32, .int64, .int4, .int2: true
        default: !isInteger && self != .bool && self != .string
        }
    }

    /// Whether this is a real floating-point type of any width.
    public var isFloat: Bool {
        switch self {
        case .float32, .float64, .float16, .bfloat16, .float8e4m3fn, .float8e4m3fnuz, .float8e5m2,
            .float8e5m2fnuz, .float8e8m0, .float4e2m1, .float6e2m3, .float6e3m2:
            true
        default: false
        }
    }

    /// Whether this is a float of six bits.
    public var isSixBit: Bool { self == .float6e2m3 || self == .float6e3m2 }

    /// Whether this is a pair of floats.
    public var isComplex: Bool { self == .complex64 || self == .complex128 }
}

extension ElementType: CustomStringConvertible {
    /// The case's name, as text forms and messages spell it.
    public var description: String { name }

    var name: String {
        switch self {
        case .float32: "float32"
        case .uint8: "uint8"
        case .int8: "int8"
        case .uint16: "uint16"
        case .int16: "int16"
        case .int32: "int32"
        case .int64: "int64"
        case .string: "string"
        case .bool: "bool"
        case .float16: "float16"
        case .float64: "float64"
        case .uint32: "uint32"
        case .uint64: "uint64"
        case .complex64: "complex64"
        case .complex128: "complex128"
        case .bfloat16: "bfloat16"
        case .float8e4m3fn: "float8e4m3fn"
        case .float8e4m3fnuz: "float8e4m3fnuz"
        case .float8e5m2: "float8e5m2"
        case .float8e5m2fnuz: "float8e5m2fnuz"
        case .uint4: "uint4"
        case .int4: "int4"
        case .float4e2m1: "float4e2m1"
        case .float8e8m0: "float8e8m0"
        case .uint2: "uint2"
        case .int2: "int2"
        case .float6e2m3: "float6e2m3"
        case .float6e3m2: "float6e3m2"
        }
    }
}

/// A Swift type whose memory is that of an element type.
public protocol Element: Sendable, BitwiseCopyable {
    /// The element type that this Swift type stores; half types are lent as their bits and have none of their own.
    static var elementType: ElementType { get }
}

extension Float: Element {
    /// `.float32`.
    public static var elementType: ElementType { .float32 }
}
extension Double: Element {
    /// `.float64`.
    public static var elementType: ElementType { .float64 }
}
extension Int8: Element {
    /// `.int8`.
    public static var elementType: ElementType { .int8 }
}
extension Int16: Element {
    /// `.int16`.
    public static var elementType: ElementType { .int16 }
}
extension Int32: Element {
    /// `.int32`.
    public static var elementType: ElementType { .int32 }
}
extension Int64: Element {
    /// `.int64`.
    public static var elementType: ElementType { .int64 }
}
extension UInt8: Element {
    /// `.uint8`.
    public static var elementType: ElementType { .uint8 }
}
extension UInt16: Element {
    /// `.uint16`.
    public static var elementType: ElementType { .uint16 }
}
extension UInt32: Element {
    /// `.uint32`.
    public static var elementType: ElementType { .uint32 }
}
extension UInt64: Element {
    /// `.uint64`.
    public static var elementType: ElementType { .uint64 }
}
extension Bool: Element {
    /// `.bool`.
    public static var elementType: ElementType { .bool }
}
