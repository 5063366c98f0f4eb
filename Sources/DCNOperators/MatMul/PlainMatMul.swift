internal import DCNGraph

/// A number that products are made of.
protocol Factor: Element {
    static var zero: Self { get }
    static var one: Self { get }
    /// The sum with a product; integers wrap.
    static func sum(_ sum: Self, _ a: Self, _ b: Self) -> Self
    /// The number times a real one, cut off to the type.
    func times(_ factor: Double) -> Self
    /// This number times `factor` and another times its own, cut off to the type.
    func times(_ factor: Double, plus other: Self, times otherFactor: Double) -> Self
}

extension Factor where Self: BinaryFloatingPoint {
    @inline(__always)
    func times(_ factor: Double, plus other: Self, times otherFactor: Double) -> Self {
        times(factor) + other.times(otherFactor)
    }
}

extension Double: Factor {
    static var one: Double { 1 }
    @inline(__always) static func sum(_ sum: Double, _ a: Double, _ b: Double) -> Double { sum + a * b }
    @inline(__always) func times(_ factor: Double) -> Double { self * factor }
}
extension Float: Factor {
    static var one: Float { 1 }
    @inline(__always) static func sum(_ sum: Float, _ a: Float, _ b: Float) -> Float { sum + a * b }
    @inline(__always) func times(_ factor: Double) -> Float { self * Float(factor) }
}
extension Factor where Self: FixedWidthInteger {
    static var one: Self { 1 }
    @inline(__always) static func sum(_ sum: Self, _ a: Self, _ b: Self) -> Self { sum &+ a &* b }
    @inline(__always) func times(_ factor: Double) -> Self {
        factor == 1 ? self : clampedInteger(Double(self) * factor)
    }
    @inline(__always)
    func times(_ factor: Double, plus other: Self, times otherFactor: Double) -> Self {
        if factor == 1, otherFactor == 1 { return self &+ other }
        return clampedInteger(Double(self) * factor + Double(other) * otherFactor)
    }
}
extension Int8: Factor {}
extension Int16: Factor {}
extension Int32: Factor {}
extension Int64: Factor {}
extension UInt8: Factor {}
extension UInt16: Factor {}
extension UInt32: Factor {}
extension UInt64: Factor {}

/// Products by their formula, for types that have no vector kernel.
struct PlainMatMul: Sendable {
    private let geometry: MatMulGeometry
    private let scale: Double
    private let addendScale: Double
    private let tiling: Tiling

    init(_ op: MatMul, _ geometry: MatMulGeometry, _ call: Call) {
        self.geometry = geometry
        scale = Double(op.scale)
        addendScale = Double(op.addendScale)
        let cost = geometry.columns.multipliedReportingOverflow(by: geometry.inner + 4)
        tiling = Tiling(
            geometry.products * geometry.rows, cost: cost.overflow ? Int.max : cost.partialValue,
            limit: 1 << 12)
    }

    /// A kernel whose tiles are rows of the result.
    func kernel<T: Factor>(_ type: T.Type) -> TileKernel {
        TileKernel(tiles: geometry.columns == 0 ? 0 : tiling.tiles) { tile, frame in
            for row in tiling[tile] { fill(row, frame, type) }
        }
    }

    private func fill<T: Factor>(_ index: Int, _ frame: Frame, _ type: T.Type) {
        let product = index / geometry.rows
        let row = index % geometry.rows
        let a = frame.input(0, as: T.self) + geometry.left.offset(product) + row * geometry.left.rowStep
        let b = frame.input(1, as: T.self) + geometry.right.offset(product)
        let y = frame.output(0, as: T.self) + index * geometry.columns
        for column in 0..<geometry.columns { y[column] = .zero }
        for inner in 0..<geometry.inner {
            let factor = a[inner * geometry.left.columnStep]
            let b = b + inner * geometry.right.rowStep
            for column in 0..<geometry.columns {
                y[column] = T.sum(y[column], factor, b[column * geometry.right.columnStep])
            }
        }
        add(product, row, index, y, frame)
    }

    private func add<T: Factor>(
        _ product: Int, _ row: Int, _ index: Int, _ y: UnsafeMutablePointer<T>, _ frame: Frame
    ) {
        let one = T.one
        if let view = geometry.addend {
            let addend = frame.input(2, as: T.self) + view.offset(product) + row * view.rowStep
            for column in 0..<geometry.columns {
                y[column] = y[column].times(scale, plus: addend[column * view.columnStep], times: addendScale)
            }
        } else if scale != 1 {
            for column in 0..<geometry.columns { y[column] = y[column].times(scale) }
        }
        guard geometry.hasResidual else { return }
        let residual = frame.input(3, as: T.self) + index * geometry.columns
        for column in 0..<geometry.columns { y[column] = T.sum(y[column], residual[column], one) }
    }
}
