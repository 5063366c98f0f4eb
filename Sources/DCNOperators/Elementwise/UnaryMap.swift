internal import CKernels
package import DCNGraph

/// A map of float32 that the kernels in C have, with its two parameters.
package struct VectorMap: Sendable, Hashable {
    /// The number of the map in C.
    package let code: UInt32
    package let alpha: Float
    package let beta: Float

    init(_ map: dcn_unary, _ alpha: Float = 0, _ beta: Float = 0) {
        code = map.rawValue
        self.alpha = alpha
        self.beta = beta
    }

    var map: dcn_unary { dcn_unary(rawValue: code) }
}

/// An operator that maps each element by itself and keeps type, shape and layout.
package protocol UnaryMap: Operator {
    /// The element types that the standard allows.
    static var elements: [ElementType] { get }
    /// The least operator set version with this form.
    static var since: Int { get }
    /// The kernel for float32; where there is none, float32 is computed by `value`.
    var vectorMap: VectorMap? { get }
    /// The attributes as ONNX spells them.
    var attributes: [(name: String, value: SourceAttribute)] { get }
    /// Roughly how many simple operations an element costs.
    static var cost: Int { get }
    /// Says which attributes are out of range.
    func validate() throws(Misfit)
    /// The formula.
    func value(_ x: Double) -> Double
    /// The formula on integers, wrapping.
    func integer<T: FixedWidthInteger>(_ x: T) -> T
}

extension UnaryMap {
    package static var elements: [ElementType] { .floats }
    package static var since: Int { 7 }
    package static var cost: Int { 4 }
    package var vectorMap: VectorMap? { nil }
    package var attributes: [(name: String, value: SourceAttribute)] { [] }
    package func validate() throws(Misfit) {}
    package func integer<T: FixedWidthInteger>(_ x: T) -> T { x }

    package func outputTypes(for inputs: Inputs) throws(Misfit) -> [ValueType] {
        let x = try inputs.required(0, "input")
        try x.expect(Self.elements)
        try validate()
        return [.tensor(x.type)]
    }

    package func layoutRule(for inputs: Inputs) -> LayoutRule { .follow(inputs: [0], outputs: [0]) }

    package func written(for inputs: Inputs, opset: Int) throws(Misfit) -> WrittenNode {
        WrittenNode(Self.name, attributes, since: Self.since)
    }

    package func execution(for call: Call) throws(Misfit) -> Execution {
        let type = try call.input(0)
        let rows = try MapRows(type, cost: Self.cost)
        switch type.element {
        case .float32:
            if let vectorMap { return .kernel(try vectorKernel(vectorMap, rows, call.instructionSet)) }
            return .kernel(rows.kernel { (x: Float) in Float(value(Double(x))) })
        case .float64: return .kernel(rows.kernel { (x: Double) in value(x) })
        default:
            guard Self.elements.contains(type.element),
                let kernel = withInteger(type.element, UnaryIntegerBody(op: self, rows: rows))
            else { throw noKernel(Self.name, for: type.element) }
            return .kernel(kernel)
        }
    }
}

private struct UnaryIntegerBody<Op: UnaryMap>: IntegerBody {
    let op: Op
    let rows: MapRows
    func run<T: FixedWidthInteger & Element>(_ type: T.Type) -> TileKernel {
        let op = op
        return rows.kernel { (x: T) in op.integer(x) }
    }
}

/// A kernel that maps float32 in C.
func vectorKernel(
    _ vectorMap: VectorMap, _ rows: MapRows, _ instructionSet: InstructionSet
) throws(Misfit) -> TileKernel {
    guard let run = try kernelTable(instructionSet).unary_f32 else {
        throw .unsupported("maps have no kernel for \(instructionSet.rawValue)")
    }
    return TileKernel(tiles: rows.tiling.tiles, inPlace: [InPlace(output: 0, input: 0)]) { tile, frame in
        var shape = rows.shape(of: tile)
        let start = rows.start(of: tile)
        run(
            vectorMap.map, vectorMap.alpha, vectorMap.beta, &shape, frame.input(0, as: Float.self) + start,
            frame.output(0, as: Float.self) + start)
    }
}

/// A tensor as rows for maps of one operand: one long row, or one row per pixel where padding follows.
struct MapRows: Sendable {
    let columns: Int
    let stride: Int
    let tiling: Tiling
    var padding: Int { stride - columns }

    /// The rows of a type of known extents; an element costs `cost` units of work.
    init(_ type: TensorType, cost: Int) throws(Misfit) {
        guard let extents = type.extents, let stored = type.storedExtents,
            let count = elementCount(of: stored)
        else {
            throw .missing("the shape of input")
        }
        let isPadded = type.channelPadding > 0
        columns = isPadded ? extents[1] : 1
        stride = columns + type.channelPadding
        tiling = Tiling(stride == 0 ? 0 : count / stride, cost: stride * cost)
    }

    /// Where a tile begins.
    func start(of tile: Int) -> Int { tiling[tile].lowerBound * stride }

    /// The rows of a tile; without padding they are one.
    func shape(of tile: Int) -> dcn_rows {
        let count = tiling[tile].count
        if padding == 0 {
            return dcn_rows(
                rows: 1, columns: count * stride, x_row: count * stride, y_row: count * stride, padding: 0)
        }
        return dcn_rows(rows: count, columns: columns, x_row: stride, y_row: stride, padding: padding)
    }

    /// A kernel that maps elements in Swift.
    @inline(__always)
    func kernel<X: Sendable, Y: ExpressibleByIntegerLiteral & Sendable>(_ f: @escaping @Sendable (X) -> Y)
        -> TileKernel
    {
        let inPlace = MemoryLayout<X>.stride == MemoryLayout<Y>.stride ? [InPlace(output: 0, input: 0)] : []
        let rows = self
        return TileKernel(tiles: tiling.tiles, inPlace: inPlace) { tile, frame in
            let shape = rows.shape(of: tile)
            let start = rows.start(of: tile)
            let x = frame.input(0, as: X.self) + start
            let y = frame.output(0, as: Y.self) + start
            for row in 0..<shape.rows {
                let base = row * shape.x_row
                for column in base..<base + shape.columns { y[column] = f(x[column]) }
                for column in base + shape.columns..<base + shape.columns + shape.padding { y[column] = 0 }
            }
        }
    }
}
