internal import CKernels
package import DCNGraph

/// A map of two operands that the kernels in C have.
package struct VectorPair: Sendable, Hashable {
    /// The number of the map in C.
    package let code: UInt32

    init(_ map: dcn_binary) { code = map.rawValue }

    var map: dcn_binary { dcn_binary(rawValue: code) }
}

/// An operator that combines two operands of one type element by element, shapes broadcast.
package protocol PairMap: Operator {
    /// The element types that the standard allows.
    static var elements: [ElementType] { get }
    /// The least operator set version with this form.
    static var since: Int { get }
    /// The kernel for float32, float64, int32 and int64.
    static var vectorPair: VectorPair? { get }
    /// The attributes as ONNX spells them.
    var attributes: [(name: String, value: SourceAttribute)] { get }
    /// The shape of the result.
    func shape(_ a: Operand, _ b: Operand) throws(Misfit) -> Shape?
    /// The formula.
    func value(_ a: Double, _ b: Double) -> Double
    /// The formula on float32.
    func single(_ a: Float, _ b: Float) -> Float
    /// The formula on integers, wrapping.
    func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T
    /// The formula on extents, as far as they are known.
    func dimension(_ a: Dimension, _ b: Dimension) -> Dimension
}

extension PairMap {
    package static var elements: [ElementType] { .numbers }
    package static var since: Int { 7 }
    package static var vectorPair: VectorPair? { nil }
    package var attributes: [(name: String, value: SourceAttribute)] { [] }
    package func shape(_ a: Operand, _ b: Operand) throws(Misfit) -> Shape? { try broadcastShape([a, b]) }
    package func value(_ a: Double, _ b: Double) -> Double { a }
    package func single(_ a: Float, _ b: Float) -> Float { Float(value(Double(a), Double(b))) }
    package func integer<T: FixedWidthInteger>(_ a: T, _ b: T) -> T { a }
    package func dimension(_ a: Dimension, _ b: Dimension) -> Dimension {
        guard let a = a.fixed, let b = b.fixed else { return .unknown }
        return .fixed(integer(a, b))
    }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let a = try inputs.required(0, "A")
        let b = try inputs.required(1, "B")
        try a.expect(Self.elements)
        try b.expectSameElement(as: a)
        var type = try broadcastType(a.element, [a, b])
        type.shape = try shape(a, b)
        return [.tensor(type)]
    }

    package func dimensions(for inputs: Inputs) -> [[Dimension]?] { [combinedDimensions(inputs, dimension)] }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { broadcastLayoutRule(inputs.types) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, attributes, since: Self.since)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let a = try call.input(0)
        let b = try call.input(1)
        let output = try call.output(0)
        let walk = try Broadcast([a, b], output: output).walk(a: 0, b: 1)
        let inPlace = sharedBytes([a, b], output)
        if let kernel = try vectorKernel(a.element, walk, inPlace, call.instructionSet) {
            return .kernel(kernel)
        }
        switch a.element {
        case .float32: return .kernel(pairKernel(walk, inPlace) { (a: Float, b: Float) in single(a, b) })
        case .float64: return .kernel(pairKernel(walk, inPlace) { (a: Double, b: Double) in value(a, b) })
        default:
            let body = PairIntegerBody(op: self, walk: walk, inPlace: inPlace)
            guard Self.elements.contains(a.element), let kernel = withInteger(a.element, body) else {
                throw noKernel(Self.name, for: a.element)
            }
            return .kernel(kernel)
        }
    }

    private func vectorKernel(
        _ element: ElementType, _ walk: BroadcastWalk, _ inPlace: [InPlace], _ instructionSet: InstructionSet
    ) throws(Misfit) -> TileKernel? {
        guard let map = Self.vectorPair?.map, Self.elements.contains(element) else { return nil }
        let kernels = try KernelTable(instructionSet)
        switch element {
        case .float32: return binaryKernel(Float.self, kernels, map, walk, inPlace)
        case .float64: return binaryKernel(Double.self, kernels, map, walk, inPlace)
        case .int32 where isOnIntegers(map): return binaryKernel(Int32.self, kernels, map, walk, inPlace)
        case .int64 where isOnIntegers(map): return binaryKernel(Int64.self, kernels, map, walk, inPlace)
        default: return nil
        }
    }
}

private func isOnIntegers(_ map: dcn_binary) -> Bool { map != DCN_BINARY_POW && map != DCN_BINARY_PRELU }

private func binaryKernel<T: PairElement>(
    _ type: T.Type, _ kernels: KernelTable, _ map: dcn_binary, _ walk: BroadcastWalk, _ inPlace: [InPlace]
) -> TileKernel {
    TileKernel(tiles: walk.tiles, inPlace: inPlace) { tile, frame in
        walk.forEach(in: tile) { shape, offset in
            T.combine(
                kernels, map, shape, frame.input(0, as: T.self) + offset[0],
                frame.input(1, as: T.self) + offset[1],
                frame.output(0, as: T.self) + offset[3])
        }
    }
}

private struct PairIntegerBody<Op: PairMap>: IntegerBody {
    let op: Op
    let walk: BroadcastWalk
    let inPlace: [InPlace]
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        let op = op
        return pairKernel(walk, inPlace) { (a: T, b: T) in op.integer(a, b) }
    }
}

/// A kernel that combines two operands in Swift.
@inline(__always)
func pairKernel<A: Sendable, B: Sendable, Y: ExpressibleByIntegerLiteral & Sendable>(
    _ walk: BroadcastWalk, _ inPlace: [InPlace] = [], _ f: @escaping @Sendable (A, B) -> Y
) -> TileKernel {
    TileKernel(tiles: walk.tiles, inPlace: inPlace) { tile, frame in
        walk.forEach(in: tile) { shape, offset in
            mapRows(
                shape, frame.input(0, as: A.self) + offset[0], frame.input(1, as: B.self) + offset[1],
                frame.output(0, as: Y.self) + offset[3], f)
        }
    }
}

/// The operands whose bytes the result may take: those of its very type.
func sharedBytes(_ operands: [TensorType], _ output: TensorType) -> [InPlace] {
    operands.indices.filter { operands[$0] == output }.map { InPlace(output: 0, input: $0) }
}
