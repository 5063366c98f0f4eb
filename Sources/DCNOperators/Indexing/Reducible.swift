internal import DCNGraph

/// What colliding elements become.
package enum Reduction: String, Sendable, Hashable, Codable {
    case none, add, mul, max, min
}

/// A number that colliding writes can be joined to; integers wrap.
protocol Reducible: BitwiseCopyable, Sendable {
    func joined(_ other: Self, by reduction: Reduction) -> Self
    static var zero: Self { get }
}

extension FixedWidthInteger where Self: BitwiseCopyable {
    @inline(__always)
    func joined(_ other: Self, by reduction: Reduction) -> Self {
        switch reduction {
        case .none: other
        case .add: self &+ other
        case .mul: self &* other
        case .max: Swift.max(self, other)
        case .min: Swift.min(self, other)
        }
    }
}

extension BinaryFloatingPoint where Self: BitwiseCopyable {
    @inline(__always)
    func joined(_ other: Self, by reduction: Reduction) -> Self {
        switch reduction {
        case .none: other
        case .add: self + other
        case .mul: self * other
        case .max: isNaN || self >= other ? self : other
        case .min: isNaN || self <= other ? self : other
        }
    }
}

extension Float: Reducible {}
extension Double: Reducible {}
extension Int8: Reducible {}
extension Int16: Reducible {}
extension Int32: Reducible {}
extension Int64: Reducible {}
extension UInt8: Reducible {}
extension UInt16: Reducible {}
extension UInt32: Reducible {}
extension UInt64: Reducible {}
