/// A value that a graph takes or gives.
public indirect enum Datum: Sendable {
    case tensor(Tensor)
    case sequence(DatumList, of: ValueType)
    case optional(Datum?, of: ValueType)

    /// The tensor, where the value is one.
    public var tensor: Tensor? {
        if case .tensor(let tensor) = self { tensor } else { nil }
    }

    /// Bytes that the value takes, those of strings counted one by one.
    package var heldByteCount: Int {
        switch self {
        case .tensor(let tensor): tensor.strings.reduce(tensor.byteCount) { $0 + 32 + $1.bytes.count }
        case .sequence(let values, _): values.heldByteCount
        case .optional(let value, _): value?.heldByteCount ?? 0
        }
    }

    /// The value's type, extents known.
    public var type: ValueType {
        switch self {
        case .tensor(let tensor): .tensor(tensor.type)
        case .sequence(_, let element): .sequence(element)
        case .optional(_, let element): .optional(element)
        }
    }
}
