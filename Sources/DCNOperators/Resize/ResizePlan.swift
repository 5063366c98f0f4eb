internal import CKernels
internal import DCNGraph

/// The cells and weights that make each output coordinate of one axis.
final class AxisTable: Sendable {
    let source, output, taps: Int
    /// `taps` cells for each output; the first is −1 where the output lies outside of the crop.
    let cells: [Int32]
    let weights: [Float]

    init(source: Int, output: Int, taps: Int, cells: [Int32], weights: [Float]) {
        self.source = source
        self.output = output
        self.taps = taps
        self.cells = cells
        self.weights = weights
    }

    /// Each output is its own cell.
    convenience init(identity extent: Int) {
        self.init(
            source: extent, output: extent, taps: 1, cells: (0..<extent).map { Int32(clamping: $0) },
            weights: [Float](repeating: 1, count: extent))
    }

    func withAxis<R>(_ body: (dcn_axis) -> R) -> R {
        cells.withUnsafeBufferPointer { cells in
            weights.withUnsafeBufferPointer { weights in
                var axis = dcn_axis()
                (axis.source, axis.output, axis.taps) = (source, output, taps)
                axis.index = cells.baseAddress
                axis.weights = weights.baseAddress
                return body(axis)
            }
        }
    }
}

/// A resize on concrete extents.
struct ResizePlan: Sendable {
    let extents, output: [Int]
    let tables: [AxisTable]
    let isActive: [Bool]
    let fill: Float

    /// Nil when an extent is not known.
    init?(_ op: Resize, extents: [Int], axes: [ResizeAxis]) {
        self.extents = extents
        var output: [Int] = []
        var tables: [AxisTable] = []
        for (extent, axis) in zip(extents, axes) {
            guard let size = axis.dimension.fixed, size <= Int(Int32.max), extent <= Int(Int32.max) else {
                return nil
            }
            output.append(size)
            tables.append(
                axis.isActive && extent > 0
                    ? op.table(axis, source: extent, output: size) : AxisTable(identity: min(extent, size)))
        }
        self.output = output
        self.tables = tables
        isActive = axes.map(\.isActive)
        fill = op.extrapolation
    }

    var count: Int { output.reduce(1, &*) }
}

extension Resize {
    /// The source coordinate of an output coordinate.
    private func coordinate(_ o: Int, _ axis: ResizeAxis, _ source: Int, _ output: Int) -> Double {
        let (x, extent) = (Double(o), Double(source))
        let length = axis.scale * extent
        switch coordinates {
        case .halfPixel: return (x + 0.5) / axis.scale - 0.5
        case .pytorchHalfPixel: return length == 1 ? -0.5 : (x + 0.5) / axis.scale - 0.5
        case .tensorflowHalfPixel: return (x + 0.5) / axis.scale
        case .asymmetric: return x / axis.scale
        case .alignCorners: return length == 1 ? 0 : x * (extent - 1) / (length - 1)
        case .halfPixelSymmetric:
            return extent / 2 * (1 - Double(output) / length) + (x + 0.5) / axis.scale - 0.5
        case .cropAndResize:
            let (from, to) = axis.crop ?? (0, 1)
            let step =
                length == 1 ? (to - from) * (extent - 1) / 2 : x * (to - from) * (extent - 1) / (length - 1)
            return step + from * (extent - 1)
        }
    }

    /// Cells and weights of one axis.
    func table(_ axis: ResizeAxis, source: Int, output: Int) -> AxisTable {
        let scale = antialiases ? min(axis.scale, 1) : 1
        let reach = interpolation == .cubic ? 2.0 : 1.0
        let first = max(-(source + 4), Int(saturating: (-reach / scale).rounded(.down) + 1))
        let taps = interpolation == .nearest ? 1 : 2 - 2 * first
        var cells: [Int32] = []
        var weights: [Float] = []
        for o in 0..<output {
            let x = coordinate(o, axis, source, output)
            if coordinates == .cropAndResize, !(x >= 0 && x <= Double(source - 1)) {
                cells += [Int32](repeating: -1, count: taps)
                weights += [Float](repeating: 0, count: taps)
            } else if interpolation == .nearest {
                cells.append(Int32(min(max(0, nearest(x, axis.scale)), source - 1)))
                weights.append(1)
            } else {
                appendTaps(x, first: first, taps: taps, scale: scale, source: source, &cells, &weights)
            }
        }
        return AxisTable(source: source, output: output, taps: taps, cells: cells, weights: weights)
    }

    private func nearest(_ x: Double, _ scale: Double) -> Int {
        switch rounding {
        case .preferFloor: Int(saturating: (x - 0.5).rounded(.up))
        case .preferCeiling: Int(saturating: (x + 0.5).rounded(.down))
        case .floor: Int(saturating: x.rounded(.down))
        case .ceiling: Int(saturating: x.rounded(.up))
        case .simple: Int(saturating: scale < 1 ? x.rounded(.up) : x.rounded(.down))
        }
    }

    /// The taps around x: the cell before it (never x itself) has place 0, ratio is in (0, 1].
    private func appendTaps(
        _ x: Double, first: Int, taps: Int, scale: Double, source: Int, _ cells: inout [Int32],
        _ weights: inout [Float]
    ) {
        let base = x.rounded(.up) - 1
        let ratio = x - base
        var row: [Double] = []
        for tap in 0..<taps {
            let place = Int(saturating: base) + first + tap
            let isOutside = excludesOutside && (place < 0 || place >= source)
            row.append(isOutside ? 0 : weight(scale * (Double(first + tap) - ratio)))
            cells.append(Int32(min(max(0, place), source - 1)))
        }
        let sum = excludesOutside || antialiases ? row.reduce(0, +) : 1
        weights += row.map { Float(sum == 0 ? 0 : $0 / sum) }
    }

    private func weight(_ distance: Double) -> Double {
        let d = abs(distance)
        guard interpolation == .cubic else { return max(0, 1 - d) }
        let a = Double(cubicCoefficient)
        if d <= 1 { return ((a + 2) * d - (a + 3)) * d * d + 1 }
        return d < 2 ? ((a * d - 5 * a) * d + 8 * a) * d - 4 * a : 0
    }
}
