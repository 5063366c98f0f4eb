internal import DCNGraph

/// Reads int32 or int64 indices.
struct IndexReader {
    private let narrow: UnsafePointer<Int32>?
    private let wide: UnsafePointer<Int64>

    /// The indices of input `position`, of the element type given.
    init(_ frame: Frame, _ position: Int, _ element: ElementType) {
        wide = frame.input(position, as: Int64.self)
        narrow = element == .int32 ? frame.input(position, as: Int32.self) : nil
    }

    @inline(__always)
    subscript(index: Int) -> Int {
        if let narrow { return Int(narrow[index]) }
        return Int(wide[index])
    }

    /// The index counted from the front.
    @inline(__always)
    func counted(_ index: Int, below extent: Int) -> Int {
        let value = self[index]
        return value < 0 ? value + extent : value
    }
}

/// Names the first index outside -extent … extent - 1.
func checkIndices(_ frame: Frame, _ position: Int, _ element: ElementType, count: Int, extent: Int) -> Misfit?
{
    let reader = IndexReader(frame, position, element)
    for index in 0..<count where reader[index] < -extent || reader[index] >= extent {
        return .value(of: "indices", because: "holds \(reader[index]), expected \(-extent) … \(extent - 1)")
    }
    return nil
}

/// Copies one element, or a run of them, of a width known when compiled.
@inline(__always)
func copyBytes(_ source: UnsafePointer<UInt8>, _ target: UnsafeMutablePointer<UInt8>, _ count: Int) {
    switch count {
    case 4:
        UnsafeMutableRawPointer(target).storeBytes(
            of: UnsafeRawPointer(source).loadUnaligned(as: UInt32.self), as: UInt32.self)
    case 8:
        UnsafeMutableRawPointer(target).storeBytes(
            of: UnsafeRawPointer(source).loadUnaligned(as: UInt64.self), as: UInt64.self)
    case 1: target[0] = source[0]
    default: UnsafeMutableRawPointer(target).copyMemory(from: source, byteCount: count)
    }
}
