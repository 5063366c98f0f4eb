internal import CKernels
package import DCNGraph

#if canImport(Glibc)
    internal import Glibc
#elseif canImport(Musl)
    internal import Musl
#elseif canImport(Darwin)
    internal import Darwin
#endif

/// y = base to the power of the exponent, in the type of the base; the exponent may be of another type.
///
/// Integers to integers wrap; a negative exponent gives 0 unless the base is 1 or −1. Floats as in C's `pow`.
package struct Pow: Operator {
    package static let name = "Pow"
    package init() {}

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let base = try inputs.required(0, "X")
        let exponent = try inputs.required(1, "Y")
        try base.expect(.floats + [.int32, .int64])
        try exponent.expect(.numbers)
        return [.tensor(try broadcastType(base.element, [base, exponent]))]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let base = try call.input(0)
        let exponent = try call.input(1)
        let output = try call.output(0)
        let walk = try Broadcast([base, exponent], output: output, cost: 8).walk(a: 0, b: 1)
        let shared = sharedBytes([base], output)
        if base.element == .float32, exponent.element == .float32,
            let run = try kernelTable(call.instructionSet).binary_f32
        {
            return .kernel(floatKernel(run, walk, shared))
        }
        let kernel: TileKernel? =
            switch base.element {
            case .float32: mixed(Float.self, exponent.element, walk, shared) { Float(pow(Double($0), $1)) }
            case .float64: mixed(Double.self, exponent.element, walk, shared) { pow($0, $1) }
            case .int32: integral(Int32.self, exponent.element, walk, shared)
            case .int64: integral(Int64.self, exponent.element, walk, shared)
            default: nil
            }
        guard let kernel else {
            throw .unsupported("Pow of \(base.element) and \(exponent.element) has no kernel")
        }
        return .kernel(kernel)
    }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, since: 12)
    }
}

private func floatKernel(
    _ run:
        @escaping @convention(c) (
            dcn_binary, UnsafePointer<dcn_broadcast>?, UnsafePointer<Float>?, UnsafePointer<Float>?,
            UnsafeMutablePointer<Float>?
        ) -> Void, _ walk: BroadcastWalk, _ shared: [InPlace]
) -> TileKernel {
    TileKernel(tiles: walk.tiles, inPlace: shared) { tile, frame in
        walk.forEach(in: tile) { shape, offset in
            var shape = shape
            run(
                DCN_BINARY_POW, &shape, frame.input(0, as: Float.self) + offset[0],
                frame.input(1, as: Float.self) + offset[1], frame.output(0, as: Float.self) + offset[3])
        }
    }
}

private func mixed<Base: ExpressibleByIntegerLiteral & Sendable>(
    _ type: Base.Type, _ exponent: ElementType, _ walk: BroadcastWalk, _ shared: [InPlace],
    _ power: @escaping @Sendable (Base, Double) -> Base
) -> TileKernel? {
    switch exponent {
    case .float32: pairKernel(walk, shared) { (a: Base, b: Float) in power(a, Double(b)) }
    case .float64: pairKernel(walk, shared) { (a: Base, b: Double) in power(a, b) }
    default: withInteger(exponent, MixedBody(walk: walk, shared: shared, power: power))
    }
}

private struct MixedBody<Base: ExpressibleByIntegerLiteral & Sendable>: IntegerBody {
    let walk: BroadcastWalk
    let shared: [InPlace]
    let power: @Sendable (Base, Double) -> Base
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        let power = power
        return pairKernel(walk, shared) { (a: Base, b: T) in power(a, Double(b)) }
    }
}

private func integral<Base: FixedWidthInteger & Element>(
    _ type: Base.Type, _ exponent: ElementType, _ walk: BroadcastWalk, _ shared: [InPlace]
) -> TileKernel? {
    switch exponent {
    case .float32:
        pairKernel(walk, shared) { (a: Base, b: Float) -> Base in clampedInteger(pow(Double(a), Double(b))) }
    case .float64:
        pairKernel(walk, shared) { (a: Base, b: Double) -> Base in clampedInteger(pow(Double(a), b)) }
    default: withInteger(exponent, IntegralBody<Base>(walk: walk, shared: shared))
    }
}

private struct IntegralBody<Base: FixedWidthInteger & Element>: IntegerBody {
    let walk: BroadcastWalk
    let shared: [InPlace]
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        pairKernel(walk, shared) { (a: Base, b: T) -> Base in integerPower(a, b) }
    }
}

/// a to the b by squaring, wrapping.
func integerPower<A: FixedWidthInteger, B: FixedWidthInteger>(_ base: A, _ exponent: B) -> A {
    guard exponent >= 0 else {
        if base == 1 { return 1 }
        return base == 0 &- 1 ? (exponent & 1 == 0 ? 1 : base) : 0
    }
    var result: A = 1
    var square = base
    var rest = exponent
    while rest > 0 {
        if rest & 1 == 1 { result = result &* square }
        square = square &* square
        rest >>= 1
    }
    return result
}
