internal import CKernels
internal import DCNGraph

/// How pooled results are cut into tiles, and which results each of them needs.
struct PooledBands: Sendable {
    /// Pooled rows and columns, and the columns of results under them.
    struct Band: Sendable {
        let rows, columns, results: Range<Int>
    }

    /// Whole kernels of any instruction set.
    private static let columns = 144

    private let axes: [PoolWindow.Axis]
    private let channels: Int
    /// Results of an axis that are computed together.
    private let edge: Int
    private let columnTiling, rowTiling: Tiling
    /// Pooled rows of a step.
    let rowsPerStep: Int
    /// The most rows of results that a step needs.
    let mostRows: Int

    /// Bands of so many columns of results that overlaps are few; steps of as many rows as stay
    /// in half of the second-level cache; both so that there are enough tiles.
    init(
        _ shape: dcn_conv_shape, _ window: PoolWindow, edge: Int, pixel: Int, tilesWanted: Int
    ) throws(Misfit) {
        axes = [
            try window.axis(0, extent: shape.output.height), try window.axis(1, extent: shape.output.width),
        ]
        channels = shape.outputs
        self.edge = edge
        let columns = max(1, (Self.columns - axes[1].kernel) / axes[1].stride + 1)
        columnTiling = Tiling(axes[1].output, target: columns, limit: max(1, axes[1].output))
        let spare = 2 * (edge - 1)
        let width = min(
            axes[1].extent, (columnTiling.grain - 1) * axes[1].stride + axes[1].kernel + spare)
        let room = machineCaches.level2 / 2 / max(1, width * pixel * MemoryLayout<Float>.stride)
        rowsPerStep = max(1, (min(room, 32) - axes[0].kernel - spare) / axes[0].stride + 1)
        mostRows = min(axes[0].extent, (rowsPerStep - 1) * axes[0].stride + axes[0].kernel + spare)
        let wanted = max(1, tilesWanted / max(1, shape.batch * columnTiling.tiles))
        rowTiling = Tiling(axes[0].output, target: 1, limit: wanted, multipleOf: rowsPerStep)
    }

    /// Tiles of one item.
    var count: Int { columnTiling.tiles * rowTiling.tiles }
    var pooledHeight: Int { axes[0].output }
    var pooledWidth: Int { axes[1].output }

    subscript(tile: Int) -> Band {
        let columns = columnTiling[tile % columnTiling.tiles]
        return Band(
            rows: rowTiling[tile / columnTiling.tiles], columns: columns, results: results(1, of: columns))
    }

    /// The numbers of columns of results that bands have.
    var widths: Set<Int> {
        Set((0..<columnTiling.tiles).map { results(1, of: columnTiling[$0]).count }).subtracting([0])
    }

    /// The rows of results under pooled rows.
    func resultRows(of rows: Range<Int>) -> Range<Int> { results(0, of: rows) }

    /// The results under windows `range` of an axis, and those computed with them.
    private func results(_ index: Int, of range: Range<Int>) -> Range<Int> {
        let axis = axes[index]
        guard !range.isEmpty else { return 0..<0 }
        let first = min(axis.extent, max(0, range.lowerBound * axis.stride - axis.begin))
        let last = min(axis.extent, (range.upperBound - 1) * axis.stride - axis.begin + axis.kernel)
        guard last > first else { return first..<first }
        return first / edge * edge..<min(axis.extent, (last + edge - 1) / edge * edge)
    }

    /// One pooled row of a band as the pooling of the results at hand, of rows `rows`.
    func shape(row: Int, _ rows: Range<Int>, _ band: Band) -> dcn_pool {
        var (down, across) = (axes[0], axes[1])
        (down.extent, across.extent) = (rows.count, band.results.count)
        (down.output, across.output) = (1, band.columns.count)
        down.begin += rows.lowerBound - row * down.stride
        across.begin += band.results.lowerBound - band.columns.lowerBound * across.stride
        return dcn_pool([PoolWindow.Axis(), down, across], channels: channels)
    }
}
